import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, startService } from '../support/service.ts';
import { areEnded, type Side, startDiscordSide, startSlackSide, until } from '../support/sides.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/** 100 questions at once under the platforms' real limits: every final text complete, no call inside a Retry-After. */
export async function fullLoad({ isShort }: ChaosRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const start of [
    () => startSlackSide({ limits: 'real' }),
    () => startDiscordSide({ limits: 'real' }),
  ]) {
    const side = await start();
    try {
      outcomes.push(await loadOn(side, isShort ? 20 : 100));
    } finally {
      await side.close();
    }
  }
  return outcomes;
}

async function loadOn(side: Side, questions: number): Promise<Outcome> {
  const perplexity = await startPerplexityServer({ tokensPerSecond: 60, firstTokenMs: 200 });
  const service = await startService({ ...side.connection, perplexity, env: NO_PERSONAL_LIMITS });
  const asked: Asked[] = [];
  const stop = watch(side, asked);
  try {
    const startedAt = performance.now();
    for (let n = 0; n < questions; n++) {
      const text = `load ${n} of many`;
      asked.push({ side, place: side.mention(text), text, first: null });
    }
    const isOver = (): boolean => asked.every(({ place }) => areEnded(side.posts(place), 1));
    await until(side, 'every question has ended', 240_000, isOver).catch(() => undefined);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const { refused, insideRetryAfter } = side.limits();
    const faults = asked.flatMap(faultsOf);
    if (insideRetryAfter > 0) faults.push(`${insideRetryAfter} calls inside a Retry-After`);
    const figures = `${questions} questions in ${seconds} s, ${refused} calls refused with 429`;
    return { check: `full load on ${side.name}`, figures, faults };
  } finally {
    stop();
    await service.kill('SIGKILL');
    await perplexity.close();
  }
}
