import { formatElapsed, formatTime } from '../answering/messages.ts';
import { questionText } from '../answering/prompt.ts';
import { finalView } from '../answering/view.ts';
import { Failure } from '../failures.ts';
import type { Urgency } from '../ports.ts';
import type { AnswerOptions, Button, View } from '../types.ts';
import type { ResearchMessages, ResearchRecord } from './ports.ts';
import { researchOptions } from './prompt.ts';
import { isLive, questionInThread, type ResearchDeps } from './step.ts';
import { keptUntil, usualTime } from './timing.ts';

/** What a card shows besides its record. */
interface CardFacts {
  /** The options that limit the search. */
  readonly options: AnswerOptions;
  /** `usually 3–8 min`. */
  readonly usually: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const MAX_QUESTION = 300;

/** Composes a job's card: the question, its state, and Stop while it runs. It invents no steps that upstream does not report. */
function composeCard(record: ResearchRecord, facts: CardFacts): View {
  const live = isLive(record);
  const stop: Button = { action: 'stop', label: 'Stop', question: record.id };
  const scope = describeScope(record, facts);
  return finalView({
    text: quote(questionText(record.question)),
    notices: [formatState(record, facts.now), ...(record.remark ? [record.remark] : [])],
    footer: live ? [...scope, facts.usually].join(' · ') : scope.join(' · '),
    buttons: live ? [stop] : [],
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
export function formatLateNotice({ name, submittedAt, begunAt }: ResearchRecord): string {
  const until = formatTime(keptUntil(submittedAt ?? begunAt));
  return `${name} is still running at Perplexity. I keep looking, once an hour, until ${until}.`;
}

function describeScope({ question }: ResearchRecord, { options }: CardFacts): string[] {
  const parts = ['Deep research', `${question.research?.effort ?? 'medium'} effort`];
  if (options.recency) parts.push(`past ${options.recency} only`);
  if (options.domains && options.domains.length > 0) parts.push(`limited to ${options.domains.join(', ')}`);
  return parts;
}

function quote(text: string): string {
  const short = text.length > MAX_QUESTION ? `${text.slice(0, MAX_QUESTION).trimEnd()}…` : text;
  return short
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

/** The usual time is taken from this many finished jobs. */
const DURATIONS = 20;

/**
 * Posts or edits the card to match the record, and records where it is. Resolves with the updated record.
 * @throws {Failure} as `ResearchMessages.showCard`
 */
export async function showCard(
  deps: ResearchDeps,
  record: ResearchRecord,
  { urgency, isRepeat }: { readonly urgency: Urgency; readonly isRepeat: boolean },
): Promise<ResearchRecord> {
  const { id, question } = record;
  const view = await readCardView(deps, record);
  const messages = messagesOf(deps, record);
  const thread = record.thread ?? question.thread;
  const shown = await messages.showCard({ question, thread, card: record.card, view, urgency, isRepeat });
  // Progress is not posted when the rate limit is exhausted.
  if (record.card !== null || shown.card === null) return record;
  await deps.researches.note(id, shown);
  const noted: ResearchRecord = { ...record, ...shown };
  await recordMessages(deps, noted);
  return noted;
}

/** @throws when the job's platform is not configured */
export function messagesOf(
  { researchMessages }: ResearchDeps,
  { question }: ResearchRecord,
): ResearchMessages {
  const messages = researchMessages.get(question.platform);
  if (!messages) throw new Error(`the platform ${question.platform} is not configured`);
  return messages;
}

async function readCardView(deps: ResearchDeps, record: ResearchRecord): Promise<View> {
  const { question } = record;
  const options = researchOptions(deps.settings.defaults, question);
  const durations = await deps.researches.durations(question.research?.effort ?? 'medium', DURATIONS);
  return composeCard(record, { options, usually: usualTime(durations), now: deps.now() });
}

/** Records the job's messages like an answer's, so that replies to them find their thread and buttons find their question. */
export async function recordMessages(
  { answers, threads }: ResearchDeps,
  record: ResearchRecord,
): Promise<void> {
  const question = questionInThread(record);
  const messages = [record.card, record.noticeMessage].filter((message) => message !== null);
  await answers.begin(question, ATTEMPT);
  if (messages.length > 0) await answers.posted(question.id, ATTEMPT, messages);
  if (question.thread) await threads.join(question.thread, question.asker.id);
}

/** Research writes its answer records under one attempt: every run of a step writes the same. */
export const ATTEMPT = 1;

/** Whether the failure says that there is no place to write, or no longer one. */
export function hasNoPlace(error: unknown): error is Failure {
  return error instanceof Failure && PLACELESS.has(error.kind);
}

const PLACELESS: ReadonlySet<string> = new Set(['gone', 'undeliverable', 'rejected']);
