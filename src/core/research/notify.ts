import { Failure } from '../failures.ts';
import { hasNoPlace, messagesOf, recordMessages } from './card.ts';
import { composeNotification } from './notification.ts';
import type { NotificationPlace, ResearchRecord } from './ports.ts';
import { questionInThread, type ResearchDeps, toLogFields } from './step.ts';

/**
 * Notifies the asker where they chose, else in the next possible place; each is tried once. The attempt is recorded before
 * the call, so that a repeat looks for the message before it posts. Resolves with the updated record.
 * @throws {Failure} when the platform cannot take it now and `mayWait`
 */
export async function notifyAsker(
  deps: ResearchDeps,
  record: ResearchRecord,
  mayWait: boolean,
): Promise<ResearchRecord> {
  const { id, question, name } = record;
  if (record.notice !== 'pending' && record.notice !== 'sending') return record;
  const told = composeNotification(record, deps.hasAdmins(question.platform));
  if (!told) return record;
  const places = listPlaces(record);
  let isRepeat = record.notice === 'sending';
  for (let at = record.noticePlace; at < places.length; at++) {
    const place = places[at];
    if (!place || !(await deps.researches.noticing(id, at))) break;
    try {
      const noticed = await messagesOf(deps, record).notify({
        question: questionInThread(record),
        place,
        card: record.card,
        ...told,
        isRepeat,
      });
      if (noticed.type === 'unknown') return await recordOutcome(deps, record, 'unknown');
      return await recordOutcome(
        deps,
        { ...record, noticeMessage: noticed.message, hasFile: noticed.hasFile },
        'sent',
      );
    } catch (error) {
      if (!(error instanceof Failure) || (!hasNoPlace(error) && mayWait)) throw error;
      deps.log.info({ research: name, place: place.type, ...toLogFields(error) }, 'no notice here');
    }
    isRepeat = false;
  }
  return recordOutcome(deps, record, 'undeliverable');
}

async function recordOutcome(
  deps: ResearchDeps,
  record: ResearchRecord,
  notice: 'sent' | 'unknown' | 'undeliverable',
): Promise<ResearchRecord> {
  const { id, name, noticeMessage, hasFile } = record;
  await deps.researches.noticed(id, notice, noticeMessage, hasFile ?? false);
  if (notice !== 'sent') deps.log.warn({ research: name, notice }, 'the asker may not have been told');
  const now: ResearchRecord = { ...record, notice };
  if (noticeMessage) await recordMessages(deps, now);
  return now;
}

/** Lists the possible places; the one that was asked for comes first. */
function listPlaces(record: ResearchRecord): readonly NotificationPlace[] {
  const { thread, research, workspace } = questionInThread(record);
  const inThread: readonly NotificationPlace[] = thread ? [{ type: 'thread', thread }] : [];
  const link = record.isCardGone ? null : record.card;
  const dm: NotificationPlace = { type: 'dm', link };
  // Discord's direct messages have no channel outside the thread.
  const channel: readonly NotificationPlace[] = workspace === '@me' ? [] : [{ type: 'channel' }];
  return research?.notify === 'dm' ? [dm, ...inThread, ...channel] : [...inThread, dm, ...channel];
}
