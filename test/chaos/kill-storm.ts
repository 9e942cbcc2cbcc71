import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, type ServiceProcess, startService } from '../support/service.ts';
import { areEnded, type Side, startDiscordSide, startSlackSide, until } from '../support/sides.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/**
 * kill -9 at random instants while answers stream, and a restart each time. Every question must end in exactly one complete
 * or explained answer, in its original message.
 */
export async function killStorm(run: ChaosRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const start of [
    () => startSlackSide({ limits: 'off', retryScale: 0.1 }),
    () => startDiscordSide({ limits: 'off' }),
  ]) {
    const side = await start();
    try {
      outcomes.push(await stormOn(side, run));
    } finally {
      await side.close();
    }
  }
  return outcomes;
}

async function stormOn(side: Side, { random, isShort }: ChaosRun): Promise<Outcome> {
  const kills = isShort ? 4 : 20;
  const questions = isShort ? 8 : 40;
  const perplexity = await startPerplexityServer({ tokensPerSecond: 40, firstTokenMs: 100 });
  const dataDir = mkdtempSync(join(tmpdir(), 'footnote-chaos-'));
  const start = (): Promise<ServiceProcess> =>
    startService({ ...side.connection, perplexity, dataDir, env: NO_PERSONAL_LIMITS });
  const asked: Asked[] = [];
  const stopWatching = watch(side, asked);
  let service = await start();
  try {
    for (let kill = 0; kill < kills; kill++) {
      const due = Math.ceil(((kill + 1) * questions) / kills);
      while (asked.length < due) {
        const text = `storm ${asked.length} ${Math.floor(random() * 1e9)}`;
        asked.push({ side, place: side.mention(text), text, first: null });
      }
      await wait(random() * 2_500);
      await service.kill('SIGKILL');
      service = await start();
    }
    const isOver = (): boolean => asked.every(({ place }) => areEnded(side.posts(place), 1));
    await until(side, 'every question has ended', 120_000, isOver).catch(() => undefined);
    const faults = asked.flatMap(faultsOf);
    const figures = `${questions} questions, ${kills} kills, ${perplexity.requests.length} model requests`;
    return { check: `kill storm on ${side.name}`, figures, faults };
  } finally {
    stopWatching();
    await service.kill('SIGKILL');
    await perplexity.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
