import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceOptions, type ServiceProcess, startService } from '../support/service.ts';
import {
  type Place,
  type Post,
  type Side,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';
import { withDatabase } from './database.ts';
import type { ChaosRun, Outcome } from './run.ts';

/** Which API, the requests a minute that it allows, and how the service is told of them. */
interface Course {
  readonly api: 'chat' | 'agent';
  readonly limits: 'tier-0' | { readonly chatSubmit: number; readonly chatLook: number };
  readonly env: Readonly<Record<string, string>>;
}

const COURSES: readonly Course[] = [
  {
    api: 'agent',
    limits: 'tier-0',
    // As an installation has it: the test service would ask without a limit.
    env: { PERPLEXITY_REQUESTS_PER_SECOND: '', PERPLEXITY_REQUESTS_PER_MINUTE: '' },
  },
  // A new account's five a minute would take most of an hour.
  {
    api: 'chat',
    limits: { chatSubmit: 100, chatLook: 6_000 },
    env: { RESEARCH_SUBMISSIONS_PER_MINUTE: '80' },
  },
];

/**
 * 200 research jobs in flight at once, on both platforms and two replicas under real limits, one of them killed with -9 while
 * all run: 200 reports, each told once, and not one request beyond what upstream allows.
 */
export function researchLoad(run: ChaosRun): Promise<Outcome[]> {
  return withDatabase(run.databaseUrl ?? '', async (databaseUrl) => {
    const outcomes: Outcome[] = [];
    for (const course of COURSES) outcomes.push(await load(course, databaseUrl, run.isShort ? 30 : 200));
    return outcomes;
  });
}

interface Asked {
  readonly side: Side;
  readonly place: Place;
  readonly text: string;
}

async function load({ api, limits, env }: Course, databaseUrl: string, jobs: number): Promise<Outcome> {
  const sides = [await startSlackSide({ limits: 'real' }), await startDiscordSide({ limits: 'real' })];
  // They end when all are in flight, not before.
  const perplexity = await startPerplexityServer({ jobs: { takesMs: 3_600_000, speed: 1 }, limits });
  const options: ServiceOptions = {
    ...Object.assign({}, ...sides.map(({ connection }) => connection)),
    perplexity,
    databaseUrl,
    env: { ...env, PERPLEXITY_API: api, RESEARCH_PER_USER: '1000', RESEARCH_PER_WORKSPACE: '1000' },
  };
  const services = await Promise.all([startService(options), startService(options)]);
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(0);
  try {
    const asked = ask(sides, jobs);
    const inFlight = (): number => perplexity.research.jobs.filter((job) => job.state() === 'running').length;
    const begun = await whenTrue(15 * 60_000, () => perplexity.research.jobs.length >= jobs);
    perplexity.research.start();
    const most = inFlight();
    await services[0]?.kill('SIGKILL');
    perplexity.research.finish();
    const figures = `${most} in flight after ${seconds()} s`;
    for (const side of sides) {
      const mine = asked.filter((one) => one.side === side);
      await until(side, 'all reports', 20 * 60_000, () => mine.every(isOver)).catch(() => undefined);
    }
    const faults = begun ? [] : [`only ${perplexity.research.jobs.length} of ${jobs} were begun`];
    faults.push(...asked.flatMap((one) => faultsOf(one, perplexity)));
    const refused = perplexity.requests.filter(({ status }) => status === 429).length;
    if (refused > 0) faults.push(`${refused} requests refused upstream with 429`);
    const busiest = perplexity.busiestMinute(() => true);
    return {
      check: `research load on the ${api} API, two replicas`,
      figures: `${figures}, all told after ${seconds()} s; at most ${busiest} requests a minute upstream; calls refused with 429: ${refusedBy(sides)}`,
      faults,
    };
  } finally {
    await stopAll(services);
    await Promise.all([...sides.map((side) => side.close()), perplexity.close()]);
  }
}

function ask(sides: readonly Side[], jobs: number): Asked[] {
  return Array.from({ length: jobs }, (_, n) => {
    const side = sides[n % sides.length]!; // Never beyond the end.
    const text = `load number ${n} of many`;
    return { side, place: side.mention(`research: ${text}`, n % 2), text };
  });
}

function noticesOf({ side, place }: Asked): readonly Post[] {
  return side.posts(place).filter(({ text }) => /Research (?:finished in|failed after)/.test(text));
}

function isCardEnded({ side, place }: Asked): boolean {
  return side.posts(place).some(({ text }) => /R-[2-9A-Z]{4} · Done in/.test(text));
}

const isOver = (one: Asked): boolean => noticesOf(one).length > 0 && isCardEnded(one);

function faultsOf(one: Asked, { research }: PerplexityServer): string[] {
  const where = `${one.side.name} "${one.text}"`;
  const faults: string[] = [];
  const jobs = research.jobs.filter(({ question }) => question.includes(one.text));
  if (jobs.length !== 1) faults.push(`${where}: ${jobs.length} jobs upstream`);
  const notices = noticesOf(one);
  if (notices.length !== 1) faults.push(`${where}: ${notices.length} notifications`);
  for (const { text } of notices) {
    if (!text.includes('Research finished')) faults.push(`${where}: no report: ${text}`);
    if (text.match(/<@/g)?.length !== 1) faults.push(`${where}: not one mention: ${text}`);
    if (!text.includes(one.text)) faults.push(`${where}: another one's report`);
  }
  if (!isCardEnded(one)) faults.push(`${where}: the card has not ended`);
  return faults;
}

/** Each replica keeps the platforms' budgets by itself: what two of them do at once may be refused, and comes later. */
function refusedBy(sides: readonly Side[]): string {
  return sides.map((side) => `${side.limits().refused} by ${side.name}`).join(', ');
}

async function whenTrue(withinMs: number, condition: () => boolean): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return true;
}

async function stopAll(services: readonly ServiceProcess[]): Promise<void> {
  await Promise.all(services.map((service) => service.kill('SIGKILL')));
}
