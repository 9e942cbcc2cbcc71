import { Failure, type FailureKind } from '../../core/failures.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import { EDITABLE_MS, showCard } from './research-card.ts';
import { notify } from './research-notification.ts';
import type { OutboundDeps } from './thread.ts';

/**
 * The messages of research jobs on Discord, all with the bot's own token: an interaction's is dead long before most jobs
 * are done.
 */
export function createResearchMessages(deps: OutboundDeps): ResearchMessages {
  return {
    editableMs: EDITABLE_MS,
    showCard: (card) => showCard(deps, card).catch(rethrow),
    notify: (notice) => notify(deps, notice).catch(rethrow),
  };
}

/** What each failure means for a message that may go elsewhere, or later. */
const AS: Partial<Record<FailureKind, FailureKind>> = {
  // With the right token it will work.
  'not-authorised': 'unreachable',
  'too-slow': 'unreachable',
  malformed: 'unreachable',
  // This place takes no such message, whatever the reason.
  rejected: 'undeliverable',
};

function rethrow(error: unknown): never {
  if (!(error instanceof Failure)) throw error;
  const kind = AS[error.kind];
  if (!kind) throw error;
  const { retryAfterMs, status, code, remedy } = error;
  throw new Failure(kind, error.message, { retryAfterMs, status, code, remedy });
}
