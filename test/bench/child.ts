/** Processes of the bench that are asked and answer: one request, one response, over Node's own channel. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a child can do, by name. */
export type Handlers = Readonly<Record<string, (input: never) => unknown>>;

type Input<H extends Handlers, K extends keyof H> = Parameters<H[K]>[0];
type Output<H extends Handlers, K extends keyof H> = Awaited<ReturnType<H[K]>>;

export interface Child<H extends Handlers> {
  readonly pid: number;
  /** @throws what the handler threw, or when the process has ended. */
  ask<K extends keyof H & string>(name: K, input: Input<H, K>): Promise<Output<H, K>>;
  end(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

interface Response {
  readonly id: number;
  readonly output?: unknown;
  readonly error?: string;
}

/** Starts a file of this folder. It cannot outlive this process. */
export function startChild<H extends Handlers>(file: string, args: readonly string[] = []): Child<H> {
  const child = fork(join(import.meta.dirname, file), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  child.on('message', (message) => {
    const { id, output, error } = message as Response; // ours: written by `serve` below
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(output);
    else call?.reject(new Error(`${file}: ${error}`));
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      for (const call of waiting.values()) call.reject(new Error(`${file} has ended`));
      waiting.clear();
      resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    ask: (name, input) =>
      new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        send(child, { id, name, input });
      }),
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function send(child: ChildProcess, call: Call): void {
  if (child.connected) child.send(call);
}

/** The child's side: answers until the parent goes away. */
export function serve(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    const { id, name, input } = message as Call; // ours: written by `send` above
    const run = handlers[name];
    Promise.try(() => run?.(input as never))
      .then((output) => process.send?.({ id, output }))
      .catch((error: unknown) => process.send?.({ id, error: String(error) }));
  });
}

/** How late this process's event loop was, in milliseconds, since the last call. */
export function watchLoop(): () => LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  histogram.enable();
  return () => {
    const delay = {
      p50: beyond(histogram.percentile(50)),
      p99: beyond(histogram.percentile(99)),
      max: beyond(histogram.max),
    };
    histogram.reset();
    return delay;
  };
}

export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What prom-client uses; the histogram counts the interval itself as delay. */
export const LOOP_RESOLUTION_MS = 10;

function beyond(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - LOOP_RESOLUTION_MS);
}
