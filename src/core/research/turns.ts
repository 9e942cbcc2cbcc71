import { Failure } from '../failures.ts';
import { sleep } from '../sleep.ts';
import type { ResearchApi, TurnLine } from './ports.ts';
import type { ResearchDeps } from './run.ts';

/** A turn so near is waited for here; a turn missed by more is taken anew, since others have moved up. */
const NEAR_MS = 1_000;
const MISSED_MS = 5_000;

/**
 * Keeps the requests of one kind within their rate, whatever a rush, a restart or an outage has piled up: 0 when it is this
 * step's turn, `turnAt` having come or been waited for, else the milliseconds until the turn that was taken for it.
 * @throws {Failure} `stopped` when the signal is aborted meanwhile
 */
export async function untilTurn(
  deps: ResearchDeps,
  { line, perMinute }: Turns,
  turnAt: number | null,
  signal: AbortSignal,
): Promise<number> {
  if (turnAt !== null && deps.now() - turnAt < MISSED_MS) return 0;
  const waitMs = await deps.researches.turn(line, 60_000 / perMinute);
  if (waitMs > NEAR_MS) return waitMs;
  await sleep(waitMs, signal);
  if (signal.aborted) throw new Failure('stopped', 'stopped before its turn');
  return 0;
}

/** A line of requests, and how many of them may go each minute. */
export interface Turns {
  readonly line: TurnLine;
  readonly perMinute: number;
}

export function lookTurns({ settings }: ResearchDeps, api: ResearchApi): Turns {
  return { line: api, perMinute: settings.looksPerMinute[api] };
}

/** Asynchronous chat completions count submissions apart; the Agent API counts every request alike. */
export function submitTurns(deps: ResearchDeps, api: ResearchApi): Turns {
  if (api === 'agent') return lookTurns(deps, api);
  return { line: 'chat-submit', perMinute: deps.settings.submissionsPerMinute };
}
