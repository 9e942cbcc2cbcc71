/** What is measured: the service, or one of the baselines, each in a process of its own. */
import { NO_PERSONAL_LIMITS, startService } from '../support/service.ts';
import { type Child, LOOP_RESOLUTION_MS, type LoopDelay, startChild } from './child.ts';
import type { BenchStore } from './database.ts';
import type { BareHandlers } from './loops/bare.ts';
import type { LoopHandlers as DiscordLoopHandlers } from './loops/discord.ts';
import type { LoopHandlers as SlackLoopHandlers } from './loops/slack.ts';
import type { PlatformHandlers } from './platform.ts';

export type Connection = Awaited<ReturnType<PlatformHandlers['start']>>['connection'];

export interface Subject {
  readonly pid: number;
  /** From the start of its process until it was connected to its platform. */
  readonly startMs: number;
  /** Since the last call. */
  loop(): Promise<LoopDelay | null>;
  stop(): Promise<void>;
}

export interface FootnoteOptions {
  readonly modelUrl: string;
  readonly connection: Connection;
  readonly store: BenchStore;
  readonly env: Readonly<Record<string, string>>;
}

/** The unmodified service; started when `/readyz` says so. */
export async function startFootnote(options: FootnoteOptions): Promise<Subject> {
  const { modelUrl, connection, store, env } = options;
  const startedAt = performance.now();
  const service = await startService({
    ...connection,
    perplexity: { url: modelUrl, apiKey: 'pplx-bench' },
    ...(store.databaseUrl === null ? {} : { databaseUrl: store.databaseUrl }),
    dataDir: store.dataDir,
    env: { PERPLEXITY_API: 'chat', ...NO_PERSONAL_LIMITS, ...env },
    // For somebody looking for a fault: figures taken with it are worth nothing.
    ...(process.env['BENCH_LOG'] ? { onLine: (line) => console.error(JSON.stringify(line)) } : {}),
  });
  const origin = `http://127.0.0.1:${service.port}`;
  while ((await fetch(`${origin}/readyz`)).status !== 200) {
    if (performance.now() - startedAt > READY_WITHIN_MS) throw new Error('the service does not get ready');
  }
  return {
    pid: service.pid,
    startMs: performance.now() - startedAt,
    loop: async () => loopFrom(await (await fetch(`${origin}/metrics`)).text()),
    stop: async () => void (await service.stop()),
  };
}

const READY_WITHIN_MS = 60_000;

function loopFrom(metrics: string): LoopDelay | null {
  const figure = (name: string): number => {
    const seconds = new RegExp(`^footnote_nodejs_eventloop_lag_${name}_seconds (\\S+)$`, 'm').exec(
      metrics,
    )?.[1];
    return Math.max(0, Number(seconds ?? Number.NaN) * 1000 - LOOP_RESOLUTION_MS);
  };
  const delay = { p50: figure('p50'), p99: figure('p99'), max: figure('max') };
  return Number.isNaN(delay.p99) ? null : delay;
}

/** The minimal post + edit loop of a platform. */
export async function startLoop(modelUrl: string, { slack, discord }: Connection): Promise<Subject> {
  const startedAt = performance.now();
  const child: Child<SlackLoopHandlers> | Child<DiscordLoopHandlers> = slack
    ? startChild('loops/slack.ts', [modelUrl, slack.apiUrl, slack.botToken, slack.appToken])
    : startChild('loops/discord.ts', [modelUrl, discord?.apiUrl ?? '', discord?.token ?? '']);
  await child.ask('ready', undefined);
  return {
    pid: child.pid,
    startMs: performance.now() - startedAt,
    loop: () => child.ask('loop', undefined),
    stop: () => child.end(),
  };
}

/** The bare loop, which asks by itself. */
export async function startBare(
  modelUrl: string,
): Promise<Child<BareHandlers> & { readonly startMs: number }> {
  const startedAt = performance.now();
  const child = startChild<BareHandlers>('loops/bare.ts', [modelUrl]);
  await child.ask('ready', undefined);
  return { ...child, startMs: performance.now() - startedAt };
}
