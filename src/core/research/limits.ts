import { formatElapsed } from '../answering/messages.ts';
import { sleep } from '../concurrency.ts';
import { Failure } from '../failures.ts';
import type { Question } from '../types.ts';
import { quoteStart } from './commands.ts';
import type { Created, RequestKind, ResearchApi } from './ports.ts';
import type { ResearchDeps } from './step.ts';

const MAX_NAMED = 5;

/** Explains a refused job and lists the running ones. Other people's questions are not shown: they may be from another channel. */
export function refusalText(
  { by, running }: Extract<Created, { type: 'refused' }>,
  { asker }: Question,
  now: number,
): string {
  const whose = by === 'person' ? 'You have' : 'There are';
  const where = by === 'person' ? '' : ' here';
  const count = running.length === 1 ? '1 research job' : `${running.length} research jobs`;
  const lines = running.slice(0, MAX_NAMED).map((record) => {
    const since = formatElapsed(now - record.begunAt);
    const isOwn = record.question.asker.id === asker.id;
    return [record.name, ...(isOwn ? [quoteStart(record)] : []), since].join(' · ');
  });
  const rest = running.length > MAX_NAMED ? [`and ${running.length - MAX_NAMED} more`] : [];
  const what =
    by === 'person' ? 'Stop one, or ask again when one has finished.' : 'Ask again when one has finished.';
  return [`${whose} ${count}${where} under way, and no more may run at once:`, ...lines, ...rest, what].join(
    '\n',
  );
}

/** A slot this near is waited for here; one that was missed by more is reserved anew, since later requests have moved up. */
const NEAR_MS = 1_000;
const MISSED_MS = 5_000;

/** The rate limit of one kind of request. */
export interface RequestRate {
  readonly kind: RequestKind;
  readonly perMinute: number;
}

/**
 * Keeps the requests of one kind within their rate, whatever a rush, a restart or an outage has piled up. Resolves with 0
 * when the request may go now: `slotAt` has come, or a near slot was waited for. Otherwise resolves with the milliseconds
 * until the slot that was reserved.
 * @throws {Failure} `stopped` when the signal is aborted meanwhile
 */
export async function waitForSlot(
  deps: ResearchDeps,
  { kind, perMinute }: RequestRate,
  slotAt: number | null,
  signal: AbortSignal,
): Promise<number> {
  if (slotAt !== null && deps.now() - slotAt < MISSED_MS) return 0;
  const waitMs = await deps.researches.reserveSlot(kind, 60_000 / perMinute);
  if (waitMs > NEAR_MS) return waitMs;
  await sleep(waitMs, signal);
  if (signal.aborted) throw new Failure('stopped', 'stopped before its slot');
  return 0;
}

/** The rate of polls at one API. */
export function pollRate({ settings }: ResearchDeps, api: ResearchApi): RequestRate {
  return { kind: api, perMinute: settings.pollsPerMinute[api] };
}

/** The rate of submissions: asynchronous chat completions count them apart, the Agent API counts every request alike. */
export function submissionRate(deps: ResearchDeps, api: ResearchApi): RequestRate {
  if (api === 'agent') return pollRate(deps, api);
  return { kind: 'chat-submit', perMinute: deps.settings.submissionsPerMinute };
}
