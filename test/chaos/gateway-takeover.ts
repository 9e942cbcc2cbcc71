import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { startService } from '../support/service.ts';
import { areEnded, startDiscordSide, until } from '../support/sides.ts';
import { withDatabase } from './database.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

const TAKEOVER_MS = 15_000;

/** Two replicas, one Discord gateway; the one that holds it is killed, and the other must take over and miss nothing. */
export async function gatewayTakeover(run: ChaosRun): Promise<Outcome[]> {
  return withDatabase(run.databaseUrl ?? '', takeover);
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
