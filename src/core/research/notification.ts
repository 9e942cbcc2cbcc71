import { formatElapsed } from '../answering/messages.ts';
import { finalView, plural, sourcesButton } from '../answering/view.ts';
import { Failure } from '../failures.ts';
import { DIRECT_WORKSPACE } from '../types.ts';
import { hasNoPlace, recordMessages } from './messages.ts';
import type { Ending, NotificationPlace, Report, ResearchNotification, ResearchRecord } from './ports.ts';
import { formatCost, reportFile, summarise } from './report.ts';
import { platformOf, type ResearchDeps, toLogFields } from './step.ts';

type Composed = Pick<ResearchNotification, 'lead' | 'view' | 'file'>;

/** Composes the asker's notification; null for a stopped job, which needs none. */
export function composeNotification(record: ResearchRecord, hasAdmins: boolean): Composed | null {
  const { id, name, ending, endedAt, begunAt } = record;
  const took = formatElapsed((endedAt ?? begunAt) - begunAt);
  if (ending?.outcome === 'done') return composeDone(record, ending.report, took);
  if (ending?.outcome !== 'failed') return null;
  // Trying again is useless when an admin or another question must cure the fault.
  const canRetry = ending.fault !== 'rejected' && ending.fault !== 'not-authorised';
  const view = finalView({
    state: 'failed',
    notices: [`⚠ ${reasonFor(record, ending, hasAdmins)} · ${name}`],
    buttons: canRetry ? [{ action: 'retry', label: 'Try again', question: id }] : [],
  });
  return { lead: `Research failed after ${took}`, view, file: null };
}

function composeDone(record: ResearchRecord, report: Report, took: string): Composed {
  const { id, name } = record;
  const { text, sources } = report;
  const facts = ['Deep research', plural(sources.length, 'source'), took, formatCost(report), name];
  const view = finalView({
    text: summarise(text),
    sources,
    notices: reportNotices(record, report),
    footer: facts.filter((fact) => fact !== null).join(' · '),
    buttons: sourcesButton(sources, id),
  });
  return { lead: `Research finished in ${took}`, view, file: reportFile(record, report) };
}

function reportNotices({ remark }: ResearchRecord, { sources, cut }: Report): string[] {
  const notices = remark ? [remark] : [];
  if (sources.length === 0) notices.push('⚠ No web sources were used for this report.');
  if (cut === 'length') notices.push('⚠ The report reached its length limit.');
  if (cut === 'filtered') notices.push('⚠ Perplexity withheld the rest of this report.');
  return notices;
}

const UNCHARGED = 'Nothing was begun, so nothing is charged.';

/** Tells why there is no report, in plain words, and whether it was charged, as far as that is known. */
export function reasonFor(
  { submittedAt }: ResearchRecord,
  { fault, remedy }: Extract<Ending, { outcome: 'failed' }>,
  hasAdmins: boolean,
): string {
  switch (fault) {
    case 'rejected':
      return `I couldn't send that: ${remedy ?? 'Perplexity refused the request'}. ${UNCHARGED}`;
    case 'not-authorised':
      return [
        `I'm not set up correctly; ${hasAdmins ? 'admins have been told' : 'please tell whoever runs me'}.`,
        submittedAt === null ? UNCHARGED : 'It may have been charged.',
      ].join(' ');
    case 'unreachable':
      return `Perplexity isn't reachable right now. ${UNCHARGED}`;
    case 'rate-limited':
      return `Perplexity is rate-limiting us. ${UNCHARGED} Try again in a few minutes.`;
    case 'unknown':
      return 'The connection broke while I handed this in: it may have been begun at Perplexity, and charged, but I cannot follow it.';
    case 'failed':
      return `Perplexity could not finish it${remedy ? `: ${remedy}` : ''}. It may have been charged in part.`;
    case 'cancelled':
      return 'It was cancelled at Perplexity. What it had done until then may be charged.';
    case 'empty':
      return 'Perplexity says that it is complete, but gives no report that I can read. It was probably charged.';
    case 'missing':
      return 'Perplexity does not know this job any more. It may have been charged.';
    case 'expired':
      return 'Perplexity was still at it after seven days and keeps no job longer. It may have been charged.';
    case 'no-place':
      return `I can't write where you asked. ${remedy ?? 'I lack the permission to write there.'} ${UNCHARGED}`;
    case 'given-up':
      return 'Something went wrong here again and again. It may have been charged.';
  }
}

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
  const { id, question, name, card } = record;
  if (record.notice !== 'pending' && record.notice !== 'sending') return record;
  const composed = composeNotification(record, deps.hasAdmins(question.platform));
  if (!composed) return record;
  const notification = { question, card, ...composed };
  let isRepeat = record.notice === 'sending';
  for (const [index, place] of listPlaces(record).entries()) {
    // Earlier places have refused it.
    if (index < record.noticePlace) continue;
    if (!(await deps.researches.noticing(id, index))) break;
    try {
      const sent = await platformOf(deps, question).notify({ ...notification, place, isRepeat });
      if (sent.type === 'unknown') return await recordOutcome(deps, record, 'unknown');
      const { message: noticeMessage, hasFile } = sent;
      return await recordOutcome(deps, { ...record, noticeMessage, hasFile }, 'sent');
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
  if (noticeMessage) await recordMessages(deps, record);
  return { ...record, notice };
}

/** Lists the possible places; the one that was asked for comes first. */
function listPlaces({ question, card, isCardGone }: ResearchRecord): readonly NotificationPlace[] {
  const { thread, research, workspace } = question;
  const inThread: readonly NotificationPlace[] = thread ? [{ type: 'thread', thread }] : [];
  const dm: NotificationPlace = { type: 'dm', link: isCardGone ? null : card };
  // Discord's direct messages have no channel outside the thread.
  const channel: readonly NotificationPlace[] = workspace === DIRECT_WORKSPACE ? [] : [{ type: 'channel' }];
  return research?.notify === 'dm' ? [dm, ...inThread, ...channel] : [...inThread, dm, ...channel];
}
