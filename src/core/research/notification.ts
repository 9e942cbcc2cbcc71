import { formatElapsed } from '../answering/messages.ts';
import { finalView } from '../answering/view.ts';
import type { Button, View } from '../types.ts';
import type { Ending, Report, ResearchNotification, ResearchRecord } from './ports.ts';
import { formatCost, formatSourceCount, reportFile, summarise } from './report.ts';

type ComposedNotification = Pick<ResearchNotification, 'lead' | 'view' | 'file'>;

/** Composes the asker's notification; null for a stopped job, which needs none. */
export function composeNotification(record: ResearchRecord, hasAdmins: boolean): ComposedNotification | null {
  const { ending, endedAt, begunAt } = record;
  const took = formatElapsed((endedAt ?? begunAt) - begunAt);
  if (ending?.outcome === 'done') return composeDone(record, ending, took);
  if (ending?.outcome !== 'failed') return null;
  const view = composeFailed(record, ending, hasAdmins);
  return { lead: `Research failed after ${took}`, view, file: null };
}

function composeDone(
  record: ResearchRecord,
  { report }: Extract<Ending, { outcome: 'done' }>,
  took: string,
): ComposedNotification {
  const { id, name } = record;
  const { sources } = report;
  const label = sources.length === 1 ? 'Source' : `All ${sources.length} sources`;
  const buttons: readonly Button[] = sources.length > 0 ? [{ action: 'sources', label, question: id }] : [];
  const facts = ['Deep research', formatSourceCount(sources), took, formatCost(report), name];
  const view = finalView({
    text: summarise(report.text),
    sources,
    notices: reportNotices(record, report),
    footer: facts.filter((fact) => fact !== null).join(' · '),
    buttons,
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

function composeFailed(
  record: ResearchRecord,
  ending: Extract<Ending, { outcome: 'failed' }>,
  hasAdmins: boolean,
): View {
  const { id, name } = record;
  const { fault } = ending;
  // Trying again is useless when an admin or another question must cure the fault.
  const canRetry = fault !== 'rejected' && fault !== 'not-authorised';
  return finalView({
    state: 'failed',
    notices: [`⚠ ${reasonFor(record, ending, hasAdmins)} · ${name}`],
    buttons: canRetry ? [{ action: 'retry', label: 'Try again', question: id }] : [],
  });
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
