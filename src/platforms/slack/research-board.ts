import { Failure } from '../../core/failures.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import type { Desks } from './desk.ts';
import { showCard } from './research-card.ts';
import { notify } from './research-notice.ts';

/** The messages of research jobs in Slack: ordinary ones, never streams, under the same budgets as the answers. */
export function createResearchMessages(deskOf: Desks): ResearchMessages {
  return {
    showCard: (card) => orPlaceless(showCard(deskOf(card.question.workspace), card)),
    notify: (notice) => orPlaceless(notify(deskOf(notice.question.workspace), notice)),
    // Unless the workspace says otherwise, which is only known once it refuses.
    editableMs: Number.POSITIVE_INFINITY,
  };
}

/** What Slack refuses for good, or for want of a scope, it refuses in this place: there may be another. */
async function orPlaceless<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.kind !== 'rejected' && error.code !== 'missing_scope') throw error;
    const { message, code, remedy } = error;
    throw new Failure('undeliverable', message, { code, remedy, cause: error });
  }
}
