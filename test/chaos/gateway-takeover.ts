import { sleep } from '../../src/core/concurrency.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { startService } from '../support/service.ts';
import { areEnded, startDiscordSide, until } from '../support/sides.ts';
import { withDatabase } from './database.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

const TAKEOVER_MS = 15_000;

/** Two replicas, one Discord gateway; the one that holds it is killed or told to stop, and the other must miss nothing. */
export async function gatewayTakeover(run: ChaosRun): Promise<Outcome[]> {
  const killed = await withDatabase(run.databaseUrl ?? '', takeover);
  return [...killed, ...(await withDatabase(run.databaseUrl ?? '', handOver))];
}

/** A planned restart: the next one is connected before the one before leaves, while people go on asking. */
async function handOver(databaseUrl: string): Promise<Outcome[]> {
  const side = await startDiscordSide();
  const perplexity = await startPerplexityServer({ tokensPerSecond: 200 });
  const start = () => startService({ ...side.connection, perplexity, databaseUrl });
  const holder = await start();
  const asked: Asked[] = [];
  const stop = watch(side, asked);
  const sessions = new Set<number>();
  const sampling = setInterval(() => sessions.add(side.server.gateway.sessions()), 20);
  let other = holder;
  try {
    await until(side, 'a gateway session', 20_000, () => side.server.gateway.sessions() === 1);
    other = await start();
    sessions.clear();
    const exited = holder.stop();
    for (let i = 0; i < 40; i++) {
      const text = `question ${i} during the hand-over`;
      asked.push({ side, place: side.mention(text, i % 3), text, first: null });
      await sleep(250);
    }
    await exited;
    const isAnswered = (): boolean => asked.every((one) => areEnded(side.posts(one.place), 1));
    await until(side, 'all answers', 30_000, isAnswered).catch(() => undefined);
    const faults = asked.flatMap(faultsOf);
    if (sessions.has(0)) faults.push('for a moment nobody was connected');
    if (!sessions.has(2)) faults.push('the two were never connected at once');
    return [{ check: 'gateway hand-over', figures: `${asked.length} questions meanwhile`, faults }];
  } finally {
    stop();
    clearInterval(sampling);
    await Promise.all([holder.kill('SIGKILL'), other.kill('SIGKILL')]);
    await Promise.all([side.close(), perplexity.close()]);
  }
}

async function takeover(databaseUrl: string): Promise<Outcome[]> {
  const side = await startDiscordSide();
  const perplexity = await startPerplexityServer({ tokensPerSecond: 200 });
  const start = () => startService({ ...side.connection, perplexity, databaseUrl });
  const holder = await start();
  await until(side, 'a gateway session', 20_000, () => side.server.gateway.sessions() === 1);
  const other = await start();
  const asked: Asked[] = [];
  const stop = watch(side, asked);
  const ask = (text: string): void => void asked.push({ side, place: side.mention(text), text, first: null });
  const faults: string[] = [];
  try {
    ask('before the takeover');
    await until(side, 'the first answer', 20_000, () =>
      asked.every((one) => areEnded(side.posts(one.place), 1)),
    );
    if (side.server.gateway.sessions() !== 1)
      faults.push(`${side.server.gateway.sessions()} gateway sessions at once`);
    const killedAt = performance.now();
    await holder.kill('SIGKILL');
    ask('while nobody listened');
    const isAnswered = (): boolean => asked.every((one) => areEnded(side.posts(one.place), 1));
    await until(side, 'the answer after the takeover', TAKEOVER_MS + 5_000, isAnswered).catch(
      () => undefined,
    );
    const seconds = (performance.now() - killedAt) / 1000;
    if (seconds > TAKEOVER_MS / 1000) faults.push(`took ${seconds.toFixed(1)} s`);
    faults.push(...asked.flatMap(faultsOf));
    return [
      { check: 'gateway takeover', figures: `answered ${seconds.toFixed(1)} s after the kill`, faults },
    ];
  } finally {
    stop();
    await Promise.all([holder.kill('SIGKILL'), other.kill('SIGKILL')]);
    await Promise.all([side.close(), perplexity.close()]);
  }
}
