import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceOptions, type ServiceProcess, startService } from '../support/service.ts';
import { areEnded, type Side, startDiscordSide, startSlackSide, until } from '../support/sides.ts';
import { withDatabase } from './database.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/** A new key's limits on the Agent API. */
const LIMITS = { agent: 50, agentSecond: 1 };
const DEFAULT_RATES = { PERPLEXITY_REQUESTS_PER_SECOND: '', PERPLEXITY_REQUESTS_PER_MINUTE: '' };

/**
 * More questions than a new key may ask: 20 in 5 s on one process, and 60 in a minute on two that share a database, one of which
 * is killed with -9 while questions wait there. All are answered, and nobody reads of a limit. Upstream counts in both ways.
 */
export function modelRate({ isShort, databaseUrl }: ChaosRun): Promise<Outcome[]> {
  return withDatabase(databaseUrl ?? '', async (database) => {
    const outcomes: Outcome[] = [];
    for (const counting of ['sliding', 'leaky'] as const) {
      outcomes.push(await rush({ counting, questions: isShort ? 8 : 20, withinMs: 5_000 }));
      const many = { counting, questions: isShort ? 12 : 60, withinMs: isShort ? 6_000 : 60_000 };
      outcomes.push(await rush({ ...many, database }), await rush({ ...many, database, kills: true }));
    }
    return outcomes;
  });
}

interface Rush {
  readonly counting: 'sliding' | 'leaky';
  readonly questions: number;
  readonly withinMs: number;
  /** For two processes. */
  readonly database?: string;
  readonly kills?: boolean;
}

async function rush(course: Rush): Promise<Outcome> {
  const { counting, questions, withinMs, database, kills = false } = course;
  const sides: readonly Side[] = [await startSlackSide(), await startDiscordSide()];
  const perplexity = await startPerplexityServer({ limits: LIMITS, counting });
  const options: ServiceOptions = {
    ...Object.assign({}, ...sides.map(({ connection }) => connection)),
    perplexity,
    ...(database && { databaseUrl: database }),
    env: { ...DEFAULT_RATES, PERPLEXITY_API: 'agent' },
  };
  const services = await Promise.all(Array.from({ length: database ? 2 : 1 }, () => startService(options)));
  const asked: Asked[] = [];
  const stops = sides.map((side) => watch(side, asked));
  const startedAt = performance.now();
  try {
    for (let n = 0; n < questions; n++) {
      const side = sides[n % sides.length]!; // Never beyond the end.
      const text = `rush ${n} of many`;
      asked.push({ side, place: side.mention(text, n % 3), text, first: null });
      await new Promise((resolve) => setTimeout(resolve, withinMs / questions));
      if (kills && n === Math.floor(questions / 2)) await services[0]?.kill('SIGKILL');
    }
    for (const side of sides) {
      const isOver = (): boolean =>
        asked.every((one) => one.side !== side || areEnded(side.posts(one.place), 1));
      await until(side, 'every answer', 300_000, isOver).catch(() => undefined);
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    return describe(course, perplexity, asked, seconds);
  } finally {
    for (const stop of stops) stop();
    await endAll(services);
    await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
  }
}

function describe(
  { counting, questions, database, kills }: Rush,
  perplexity: PerplexityServer,
  asked: readonly Asked[],
  seconds: string,
): Outcome {
  const faults = asked.flatMap(faultsOf);
  for (const { side, place, text } of asked) {
    const words = side.posts(place).map((post) => post.text);
    if (words.some((one) => /rate-limiting|⚠/.test(one))) faults.push(`${text}: reads of a fault`);
  }
  const refused = perplexity.requests.filter(({ status }) => status === 429).length;
  if (refused > 1) faults.push(`${refused} requests refused upstream with 429`);
  // What the killed process was answering is asked again.
  const most = questions + refused + (kills ? 10 : 0);
  if (perplexity.requests.length > most) faults.push(`${perplexity.requests.length} requests upstream`);
  const busiest = perplexity.busiestMinute(() => true);
  const where = database ? `two replicas${kills ? ', one killed' : ''}` : 'one process';
  return {
    check: `${questions} questions at a new key's rate (${counting}), ${where}`,
    figures: `all ended after ${seconds} s; ${perplexity.requests.length} requests, at most ${busiest} a minute, ${refused} refused`,
    faults,
  };
}

async function endAll(services: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(services.map((service) => service.kill('SIGKILL')));
}
