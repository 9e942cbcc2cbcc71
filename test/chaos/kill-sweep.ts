import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import {
  type ServiceOptions,
  type ServiceProcess,
  ServiceStartError,
  startService,
} from '../support/service.ts';
import {
  areEnded,
  type Place,
  type Side,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/** One thing the service is asked to do, to be cut off at each of its side effects in turn. */
export interface Errand {
  readonly name: string;
  readonly perplexity: Parameters<typeof startPerplexityServer>[0];
  readonly env?: Readonly<Record<string, string>>;
  ask(side: Side): Place;
  isOver(scene: Scene): boolean;
  /** Every violated promise, at the end. `point` is where the service was killed; null when it was not. */
  faults(scene: Scene, point: string | null): readonly string[];
  /** Longer than the longest wait between a restart and the end. */
  readonly withinMs: number;
  /** The number of side effects it surely has on either platform. */
  readonly leastPoints: number;
  /** What of the store it surely changes. */
  readonly stores: readonly string[];
}

/** One run of an errand as it looks from outside. */
export interface Scene {
  readonly side: Side;
  readonly place: Place;
  readonly perplexity: PerplexityServer;
  /** The first message seen there. */
  readonly first: string | null;
  /** The side effects so far; where the service was killed, up to that one. */
  readonly points: readonly string[];
}

const QUESTION = 'sweep the side effects';

/** The answer is complete, and not asked for again. */
const CONCLUSION = 'answers conclusion';

const ANSWER: Errand = {
  name: 'an answer',
  perplexity: { tokensPerSecond: 200, firstTokenMs: 50 },
  // That requests are reserved is a side effect too.
  env: { PERPLEXITY_REQUESTS_PER_SECOND: '10', PERPLEXITY_REQUESTS_PER_MINUTE: '600' },
  ask: (side) => side.mention(QUESTION),
  isOver: ({ side, place }) => areEnded(side.posts(place), 1),
  faults: ({ side, place, first, perplexity, points }, point) => {
    const asked = perplexity.requests.filter(({ path }) => /completions|responses/.test(path)).length;
    // Killed while the model answers, the service has to ask again.
    const isStored = points.some((one) => one.endsWith(CONCLUSION));
    return [
      ...faultsOf({ side, place, text: QUESTION, first }),
      ...(asked > (point === null || isStored ? 1 : 2) ? [`the model was asked ${asked} times`] : []),
    ];
  },
  withinMs: 30_000,
  leastPoints: 13,
  stores: [CONCLUSION, 'answers messages', 'answers delivered', 'request_slots'],
};

/**
 * kill -9 at every numbered side effect of one answer on each platform, and a restart each time: the question must end in
 * exactly one complete or explained answer.
 */
export function killSweep(run: ChaosRun): Promise<Outcome[]> {
  return sweepBoth(ANSWER, run);
}

/** Sweeps an errand on both platforms; with `isShort` only every fifth point, beginning at a random one. */
export async function sweepBoth(errand: Errand, run: ChaosRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const startSide of [
    () => startSlackSide({ limits: 'off', retryScale: 0.1 }),
    () => startDiscordSide({ limits: 'off' }),
  ]) {
    outcomes.push(await sweep(errand, startSide, run));
  }
  return outcomes;
}

/** Each lane is a world of its own; most of its time is spent waiting. */
const LANES = 3;
/** The points at the end come and go with how writes are combined: the sweep goes on until nothing is cut off any more. */
const BEYOND = 5;

async function sweep(errand: Errand, startSide: () => Promise<Side>, run: ChaosRun): Promise<Outcome> {
  const whole = await perform(errand, startSide, 0);
  const last = whole.points.length + BEYOND;
  const step = run.isShort ? 5 : 1;
  const due: number[] = [];
  for (let at = 1 + Math.floor(run.random() * step); at <= last; at += step) due.push(at);
  const faults = [...whole.faults, ...unseen(errand, whole.points)];
  let kills = 0;
  const lane = async (): Promise<void> => {
    for (let at = due.shift(); at !== undefined; at = due.shift()) {
      const done = await perform(errand, startSide, at);
      if (done.killedAt !== null) kills++;
      faults.push(...done.faults);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (kills === 0) faults.push('nothing was ever cut off');
  const figures = `${whole.points.length} side effects, ${kills} kills`;
  return { check: `kill sweep of ${errand.name} on ${whole.side}`, figures, faults };
}

/** What every errand does, before and after: it asks the model, writes on the platform, and stores something. */
const SIDE_EFFECTS: readonly RegExp[] = [
  / before POST \S*\/(?:chat\/completions|responses)/,
  / after POST \S*\/(?:chat\/completions|responses)/,
  / before (?:POST|PATCH) \S*\/(?:chat\.|channels\/)/,
  / after (?:POST|PATCH) \S*\/(?:chat\.|channels\/)/,
];

/** Says what the kill points do not see: a sweep that had become blind to a client would pass. */
function unseen({ leastPoints, stores }: Errand, points: readonly string[]): string[] {
  const effects = [...SIDE_EFFECTS, ...stores.map((what) => new RegExp(` stored in ${what}$`))];
  const missing = effects.filter((effect) => !points.some((point) => effect.test(point)));
  return [
    ...missing.map((effect) => `no kill point matches ${effect.source}`),
    ...(points.length < leastPoints
      ? [`${points.length} kill points, at least ${leastPoints} expected`]
      : []),
  ];
}

interface Performed {
  readonly side: string;
  readonly points: readonly string[];
  readonly killedAt: string | null;
  readonly faults: readonly string[];
}

/** Runs the errand once, killing the service at side effect `killAt` (0 for not at all) and starting it again. */
async function perform(errand: Errand, startSide: () => Promise<Side>, killAt: number): Promise<Performed> {
  const side = await startSide();
  const perplexity = await startPerplexityServer(errand.perplexity);
  const directory = mkdtempSync(join(tmpdir(), 'footnote-sweep-'));
  const dataDir = join(directory, 'data');
  await prepareDataDir(dataDir);
  const files = { points: join(directory, 'points'), from: join(directory, 'from') };
  writeFileSync(files.points, '');
  const start = (env: Readonly<Record<string, string>>): Promise<ServiceProcess> =>
    startSurely({ ...side.connection, perplexity, dataDir, env: { ...errand.env, ...env } });
  const asked: Asked[] = [];
  const stopWatching = watch(side, asked);
  let service = await start({
    NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'kill-points.ts')).href}`,
    KILL_AT: String(killAt),
    KILL_POINTS_FILE: files.points,
    KILL_FROM_FILE: files.from,
  });
  try {
    writeFileSync(files.from, '');
    const place = errand.ask(side);
    asked.push({ side, place, text: '', first: null });
    const readPoints = (): string[] => readFileSync(files.points, 'utf8').trimEnd().split('\n');
    const scene = (): Scene => ({
      side,
      place,
      perplexity,
      first: asked[0]?.first ?? null,
      get points() {
        return readPoints();
      },
    });
    const isOver = (): boolean => errand.isOver(scene());
    const ended = until(side, 'the end', errand.withinMs, isOver).catch(() => undefined);
    // What is written behind the last visible change is a side effect too: stopping lets it happen.
    const exit = (await Promise.race([service.exited, ended])) ?? (await service.stop());
    if (exit === 'SIGKILL') {
      service = await start({});
      await until(side, 'the end after a restart', errand.withinMs, isOver).catch(() => undefined);
      await service.stop();
    }
    const points = readPoints();
    const killedAt = exit === 'SIGKILL' ? (points.at(-1) ?? null) : null;
    const faults = errand
      .faults(scene(), killedAt)
      .map((fault) => `killed at ${killedAt ?? 'no point'}: ${fault}`);
    return { side: side.name, points, killedAt, faults };
  } finally {
    stopWatching();
    await service.kill('SIGKILL');
    await Promise.all([side.close(), perplexity.close()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As whatever runs a service does: on a machine this busy a start may find its platform too slow. */
async function startSurely(options: ServiceOptions, tries = 3): Promise<ServiceProcess> {
  try {
    return await startService(options);
  } catch (error) {
    if (!(error instanceof ServiceStartError) || tries === 1) throw error;
    return startSurely(options, tries - 1);
  }
}
