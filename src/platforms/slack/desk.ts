import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import { type RetryPolicy, retry } from '../../core/retry.ts';
import { type Budgets, createBudgets, type PacedMethod } from './budgets.ts';
import type { SlackSelf } from './incoming-text.ts';
import type { SlackCall } from './web.ts';

/** What one workspace has taught us it cannot do; remembered until the restart. */
interface Latches {
  noStreams: boolean;
  /** Streams take text only. */
  noSteps: boolean;
  noStatus: boolean;
  noSessions: boolean;
}

/** What all answers in one workspace share. */
export interface Desk {
  readonly call: SlackCall;
  readonly budgets: Budgets;
  readonly latches: Latches;
  readonly self: SlackSelf;
  readonly log: Log;
}

/** The desk of every workspace by its team id: one each, so that its budgets are shared by everything written there. */
export type Desks = (workspace: string) => Desk;

/** Desks that speak with one token. */
export function createDesks({ call, self, log }: Pick<Desk, 'call' | 'self' | 'log'>): Desks {
  const desks = new Map<string, Desk>();
  return (workspace) => {
    const latches = { noStreams: false, noSteps: false, noStatus: false, noSessions: false };
    const desk = desks.get(workspace) ?? { call, self, log, latches, budgets: createBudgets() };
    desks.set(workspace, desk);
    return desk;
  };
}

const ATTEMPTS = 5;
/** Retries end by their number: while the service stops, answers under way still want their last write. */
const NEVER = new AbortController().signal;
/** Slack's windows are one minute: a longer wait is given back to whoever asked. */
const LONGEST_WAIT_MS = 65_000;

/** One call under its budget. A refusal closes the budget for as long as Slack says. @throws {Failure} */
export async function send(
  desk: Desk,
  method: PacedMethod,
  args: Readonly<Record<string, unknown>>,
  isPaid = false,
): Promise<Readonly<Record<string, unknown>>> {
  const budget = desk.budgets.of(method);
  if (!isPaid) await budget.acquire('final');
  try {
    return await desk.call(method, args);
  } catch (error) {
    const retryAfterMs = waitAskedFor(error);
    if (retryAfterMs > 0) budget.blockFor(retryAfterMs);
    throw error;
  }
}

/** The same, repeated until Slack has it. Only for calls that may be made twice. @throws {Failure} */
export function sendSurely(
  desk: Desk,
  method: PacedMethod,
  args: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  return retry(patience(desk), () => send(desk, method, args));
}

/** How long finals are tried for. */
export function patience({ log }: Desk): RetryPolicy {
  return {
    attempts: ATTEMPTS,
    baseMs: 300,
    capMs: 5_000,
    longestWaitMs: LONGEST_WAIT_MS,
    signal: NEVER,
    onWait: (failure, waitMs) => {
      log.debug({ code: failure.code, kind: failure.kind, waitMs }, 'waiting before the next try');
    },
  };
}

/** The Retry-After of a failure, in ms; 0 for any other error. */
export function waitAskedFor(error: unknown): number {
  return error instanceof Failure && error.kind === 'rate-limited' ? (error.retryAfterMs ?? 0) : 0;
}
