/** One cell of the table: one subject under one load. */
import type { PlatformName } from '../../src/core/types.ts';
import { type Child, startChild } from './child.ts';
import { type BenchStore, backendsOf, createStore, type StoreKind } from './database.ts';
import type { Figures } from './figures.ts';
import { figuresOf } from './figures.ts';
import type { ModelHandlers } from './model.ts';
import type { Ground, PlatformHandlers, PlatformRun, Spot } from './platform.ts';
import { cpuMs, watchProcess } from './process-watch.ts';
import { seed } from './seeding.ts';
import { type Connection, type Subject, startBare, startFootnote, startLoop } from './subject.ts';
import type { Templates } from './templates.ts';
import { type BenchQuestion, lengthOf, slotOf } from './words.ts';

/** Everything that can be varied. */
export interface Load {
  /** `footnote` = the service; `loop` = the minimal post + edit loop; `bare` = the `openai` loop with no platform. */
  readonly who: 'footnote' | 'loop' | 'bare';
  readonly platform: PlatformName;
  readonly store: StoreKind;
  readonly concurrency: number;
  readonly limits: 'off' | 'real';
  /** `own` = the service keeps to the platforms' limits as it always does; `lifted` = see `unpaced.ts`. */
  readonly budgets: 'own' | 'lifted';
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly latencyMs: number;
  readonly ground: Ground;
  /** Turns already in each thread that is asked in; 0 for new threads. */
  readonly turns: number;
  /** Other threads the store already holds. */
  readonly stored: number;
}

export interface Setting {
  readonly serverUrl: string | null;
  readonly model: Child<ModelHandlers>;
  readonly modelUrl: string;
  readonly templates: Templates;
}

const LIFT_BUDGETS = new URL('lift-budgets.ts', import.meta.url).href;
const FIRST_TOKEN_MS = 200;
const WARM_UP = { questions: 5, tokens: 60, tokensPerSecond: 200 };
/** A run is over when nothing has happened for so long. */
const QUIET_MS = 500;
/** Beyond the time the model takes: whoever keeps to limits, or runs into them, may need minutes. */
const LONGEST_MS = 180_000;

/** Runs one cell. @throws when the bench itself breaks: a process ends, a store cannot be made. */
export async function runCell(load: Load, setting: Setting): Promise<Figures> {
  return load.who === 'bare' ? runBare(load, setting) : runOnPlatform(load, setting);
}

async function runBare(load: Load, { model, modelUrl }: Setting): Promise<Figures> {
  const bare = await startBare(modelUrl);
  try {
    await bare.ask('run', { questions: warmUp(load), overMs: 0 });
    await untilBareQuiet(bare, WARM_UP.questions, load);
    await model.ask('reset', undefined);
    const cost = watchProcess(bare.pid);
    const startedAt = performance.now();
    await bare.ask('run', { questions: questionsOf(load), overMs: spreadMs(load) });
    const { answers, loop } = await untilBareQuiet(bare, load.concurrency, load);
    const wallMs = performance.now() - startedAt;
    const seen = { answers, calls: {}, refused: 0, insideRetryAfter: 0, acks: [], loop };
    const asked = await model.ask('collect', undefined);
    return figuresOf({
      load,
      cost: cost(),
      databaseCpuMs: null,
      wallMs,
      startMs: bare.startMs,
      seen,
      model: asked,
      loop,
    });
  } finally {
    await bare.end();
  }
}

async function untilBareQuiet(bare: Awaited<ReturnType<typeof startBare>>, count: number, load: Load) {
  const deadline = performance.now() + LONGEST_MS + streamMs(load);
  for (;;) {
    const collected = await bare.ask('collect', undefined);
    if (collected.answers.length === count) return collected;
    if (performance.now() > deadline) throw new Error('the bare loop does not end');
    await pause(100);
  }
}

async function runOnPlatform(load: Load, setting: Setting): Promise<Figures> {
  const platform = startChild<PlatformHandlers>('platform.ts');
  const template = load.who === 'footnote' ? await setting.templates.of(load.store) : null;
  const store = await createStore(load.store, setting.serverUrl, template);
  try {
    const { limits, latencyMs, platform: name } = load;
    const { connection } = await platform.ask('start', { platform: name, limits, latencyMs });
    const ground = load.turns > 0 ? 'threads' : load.ground;
    const needsSpots = ground !== 'channel' && ground !== 'one-channel';
    const spots = needsSpots ? await platform.ask('makeSpots', { count: load.concurrency, ground }) : [];
    if (load.turns > 0 || load.stored > 0) await fill(load, setting, platform, connection, store, spots);
    const subject = await startSubject(load, setting, connection, store);
    try {
      // Real budgets are left untouched for the run.
      if (limits === 'off') await play(platform, warmUpRun(load));
      return await measure(load, setting, { platform, subject, store, spots });
    } finally {
      await subject.stop();
    }
  } finally {
    await platform.end();
    await store.remove();
  }
}

/** One real answer, then as many like it as the load asks for. */
async function fill(
  load: Load,
  setting: Setting,
  platform: Child<PlatformHandlers>,
  connection: Connection,
  store: BenchStore,
  spots: readonly Spot[],
): Promise<void> {
  const subject = await startSubject(load, setting, connection, store);
  // Words of its own, behind those of the run and of the warm-up.
  const from = load.concurrency * slotOf(load.tokens) + WARM_UP.questions * WARM_UP.tokens;
  const question = { n: 0, from, tokens: load.tokens, tokensPerSecond: 2_000, firstTokenMs: 0 };
  await play(platform, { questions: [question], slot: load.tokens, overMs: 0, ground: 'channel', spots: [] });
  await subject.stop();
  await seed(store, { turns: load.turns, stored: load.stored, spots: load.turns > 0 ? spots : [] });
}

function startSubject(
  load: Load,
  { modelUrl }: Setting,
  connection: Connection,
  store: BenchStore,
): Promise<Subject> {
  if (load.who === 'loop') return startLoop(modelUrl, connection);
  const env = {
    // Above the default of 200 for the largest loads; below, the default is measured.
    ...(load.concurrency > 200 ? { CONCURRENT_ANSWERS: String(load.concurrency) } : {}),
    // For somebody with a profiler (`--cpu-prof --cpu-prof-dir=…`); the service ends in order, so its profile is written.
    NODE_OPTIONS: [
      process.env['BENCH_NODE_OPTIONS'] ?? '',
      load.budgets === 'lifted' ? `--import=${LIFT_BUDGETS}` : '',
    ].join(' '),
    ...(load.ground === 'one-channel' || load.ground === 'replies' ? { DISCORD_THREADS: 'never' } : {}),
  };
  return startFootnote({ modelUrl, connection, store, env });
}

interface Stage {
  readonly platform: Child<PlatformHandlers>;
  readonly subject: Subject;
  readonly store: BenchStore;
  readonly spots: readonly Spot[];
}

async function measure(load: Load, { model }: Setting, stage: Stage): Promise<Figures> {
  const { platform, subject, store, spots } = stage;
  await model.ask('reset', undefined);
  await subject.loop();
  const backends = store.databaseUrl === null ? [] : await backendsOf(store.databaseUrl);
  const databaseBefore = totalCpu(backends);
  const cost = watchProcess(subject.pid);
  const questions = questionsOf(load);
  const run = {
    questions,
    slot: slotOf(load.tokens),
    overMs: spreadMs(load),
    ground: load.ground,
    spots,
  };
  const endedAfter = await play(platform, run);
  return figuresOf({
    load,
    cost: cost(),
    databaseCpuMs: backends.length === 0 ? null : totalCpu(backends) - databaseBefore,
    wallMs: endedAfter,
    startMs: subject.startMs,
    seen: await platform.ask('collect', undefined),
    model: await model.ask('collect', undefined),
    loop: await subject.loop(),
  });
}

function totalCpu(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (cpuMs(pid) ?? 0), 0);
}

/** Asks, and returns how many milliseconds later the last thing happened. */
async function play(platform: Child<PlatformHandlers>, run: PlatformRun): Promise<number> {
  const startedAt = performance.now();
  await platform.ask('run', run);
  const longestMs =
    LONGEST_MS + Math.max(0, ...run.questions.map((q) => (q.tokens * 1000) / q.tokensPerSecond));
  let lastAt = startedAt;
  let last = '';
  for (;;) {
    const progress = await platform.ask('progress', undefined);
    const state = JSON.stringify(progress);
    if (state !== last) lastAt = performance.now();
    last = state;
    const isComplete = progress.complete === run.questions.length && progress.open === 0;
    const isQuiet = performance.now() - lastAt >= QUIET_MS;
    if (isComplete && isQuiet && (await platform.ask('isWhole', undefined))) return lastAt - startedAt;
    if (performance.now() - startedAt > longestMs) return lastAt - startedAt;
    await pause(50);
  }
}

function questionsOf({ concurrency, tokens, tokensPerSecond }: Load): BenchQuestion[] {
  return Array.from({ length: concurrency }, (_, n) => ({
    n,
    from: n * slotOf(tokens),
    tokens: lengthOf(n, tokens),
    tokensPerSecond,
    firstTokenMs: FIRST_TOKEN_MS,
  }));
}

/** Their words lie behind those of the run, so that nothing of them is taken for a part of it. */
function warmUp({ concurrency, tokens }: Load): BenchQuestion[] {
  const { questions, ...pace } = WARM_UP;
  return Array.from({ length: questions }, (_, n) => ({
    n,
    from: concurrency * slotOf(tokens) + n * WARM_UP.tokens,
    firstTokenMs: 50,
    ...pace,
  }));
}

function warmUpRun(load: Load): PlatformRun {
  const { ground } = load;
  return { questions: warmUp(load), slot: WARM_UP.tokens, overMs: 200, ground, spots: [] };
}

/** How long the arrivals of a load are spread over. */
function spreadMs({ concurrency }: Load): number {
  if (concurrency === 1) return 0;
  return concurrency <= 100 ? 1_000 : concurrency <= 500 ? 2_000 : 4_000;
}

function streamMs({ tokens, tokensPerSecond }: Load): number {
  return (tokens * 1000) / tokensPerSecond;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
