import { formatElapsed, formatTime } from '../answering/messages.ts';
import { questionText } from '../answering/prompt.ts';
import { describeSearch, finalView } from '../answering/view.ts';
import type { View } from '../types.ts';
import type { ResearchRecord } from './ports.ts';
import { researchOptions } from './prompt.ts';
import { isLive, type ResearchDeps } from './step.ts';
import { keptUntil, usualTime } from './timing.ts';

const MAX_QUESTION = 300;
/** The usual time is taken from this many finished jobs. */
const DURATIONS = 20;

/**
 * Composes a job's card: the question, its state, and while it runs the usual time and Stop. It invents no steps that upstream
 * does not report.
 */
export async function composeCard(
  { settings, researches, now }: ResearchDeps,
  record: ResearchRecord,
): Promise<View> {
  const { id, question, remark } = record;
  const effort = question.research?.effort ?? 'medium';
  const scope = describeSearch(researchOptions(settings.defaults, question));
  const usual = isLive(record) ? [usualTime(await researches.durations(effort, DURATIONS))] : [];
  return finalView({
    text: quote(questionText(question)),
    notices: [formatState(record, now()), ...(remark ? [remark] : [])],
    footer: ['Deep research', `${effort} effort`, ...scope, ...usual].join(' · '),
    buttons: isLive(record) ? [{ action: 'stop', label: 'Stop', question: id }] : [],
  });
}

/** Formats a job's state as one line: `R-4F2K · Researching · 3 min`. */
export function formatState(record: ResearchRecord, now: number): string {
  const { name, ending, begunAt, endedAt, isCancelled } = record;
  const took = formatElapsed((endedAt ?? now) - begunAt);
  if (!ending) {
    const isRunning = record.state === 'running' && record.phase === 'running';
    return isRunning ? `${name} · Researching · ${took}` : `${name} · Queued`;
  }
  if (ending.outcome === 'done') return `${name} · Done in ${took}`;
  if (ending.outcome === 'failed') return `⚠ ${name} · Failed after ${took}`;
  const why = ending.reason === 'deleted' ? ' The question was deleted.' : stoppedBy(record);
  if (isCancelled === null) return `⏹ Stopping ${name}.${why}`;
  if (isCancelled) return `⏹ Cancelled ${name}.${why}`;
  return `⏹ Stopped watching ${name}.${why} It cannot be cancelled upstream, so it may still be billed.`;
}

/** Names the person who stopped it, unless it was the asker. */
function stoppedBy({ ending, question }: ResearchRecord): string {
  if (ending?.outcome !== 'stopped' || !ending.by || ending.by.id === question.asker.id) return '';
  return ` By ${ending.by.name ?? 'an admin'}.`;
}

/** The notice that a job has passed its deadline. */
export function formatLateNotice(record: ResearchRecord): string {
  const until = formatTime(keptUntil(record));
  return `${record.name} is still running at Perplexity. I keep looking, once an hour, until ${until}.`;
}

function quote(text: string): string {
  const short = text.length > MAX_QUESTION ? `${text.slice(0, MAX_QUESTION).trimEnd()}…` : text;
  return short
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}
