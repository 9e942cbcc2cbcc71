import type { Failure } from '../failures.ts';
import { shortId } from '../ids.ts';
import type { Button, Question } from '../types.ts';

export interface Explanation {
  readonly notice: string;
  readonly buttons: readonly Button[];
}

interface Facts {
  /** How often the model was asked. */
  readonly tries: number;
  /** Whether some text had been written before the failure. */
  readonly hasText: boolean;
  readonly hasAdmins: boolean;
}

/**
 * Explains a failure to the person who asked: plain words, what to do next, and the short id that is in the log line of the
 * same question. It never shows an upstream body, a stack or an exception's text.
 */
export function explainFailure(failure: Failure, question: Question, facts: Facts): Explanation {
  const { tries, hasText, hasAdmins } = facts;
  const id = shortId(question.id);
  const retry: Button = { action: 'retry', label: 'Retry', question: question.id };
  const goOn: Button = { action: 'continue', label: 'Continue', question: question.id };
  if (hasText) return { notice: `⚠ Cut off: ${describeCutOff(failure)} · ${id}`, buttons: [goOn, retry] };
  const buttons = failure.kind === 'rejected' || failure.kind === 'not-authorised' ? [] : [retry];
  return { notice: `⚠ ${describeFailure(failure, tries, hasAdmins)} · ${id}`, buttons };
}

/** True for what only an admin can put right. */
export function needsAdmin({ kind, remedy }: Failure): boolean {
  return kind === 'not-authorised' || (remedy !== undefined && kind !== 'rejected');
}

/** Tells admins why there are no answers and what to do. */
export function describeForAdmins({ kind, status, code, remedy }: Failure): string {
  const what = remedy ?? "check PERPLEXITY_API_KEY and the account's credit";
  return `I get no answers from Perplexity (${status ?? code ?? kind}): ${what}.`;
}

function describeFailure(failure: Failure, tries: number, hasAdmins: boolean): string {
  switch (failure.kind) {
    case 'rate-limited':
      return `Perplexity is rate-limiting us. Try again in about ${formatDuration(failure.retryAfterMs ?? 60_000)}.`;
    case 'unreachable':
      return `Perplexity isn't reachable right now (tried ${tries === 1 ? 'once' : `${tries} times`}).`;
    case 'too-slow':
      return 'Perplexity took too long to answer. Try again, or ask a shorter question.';
    case 'rejected':
      return `I couldn't send that: ${failure.remedy ?? 'Perplexity refused the request'}.`;
    case 'not-authorised':
      return `I'm not set up correctly; ${hasAdmins ? 'admins have been told' : 'please tell whoever runs me'}.`;
    case 'cut-off':
    case 'malformed':
      if (failure.remedy) return `There is no answer: ${failure.remedy}.`;
      return 'The answer broke off before it began. Try again.';
    case 'stopped':
      return 'Interrupted by a restart.';
    case 'gone':
    case 'undeliverable':
      return "I can't write where this question was asked.";
  }
}

function describeCutOff(failure: Failure): string {
  if (failure.kind === 'rate-limited') return 'Perplexity is rate-limiting us';
  if (failure.kind === 'too-slow') return 'nothing more came for too long';
  if (failure.kind === 'stopped') return 'interrupted by a restart';
  return 'the answer broke off here';
}

const ordinal = new Intl.PluralRules('en', { type: 'ordinal' });
const SUFFIXES: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** The status of a question whose request waits for the rate limit behind `ahead` others. */
export function describeWait(ahead: number): string {
  const place = ahead === 0 ? 'next' : `${ahead + 1}${SUFFIXES[ordinal.select(ahead + 1)] ?? 'th'}`;
  return `is waiting for Perplexity's rate limit · ${place} in line…`;
}

/** Formats a wait as `8 s`, `2 min`, `1 h`, rounded up, so that nobody comes back too early; at most a day. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(1, Math.ceil(Math.min(ms || 0, 24 * 3_600_000) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

/** Formats milliseconds since the epoch as `2 Dec 2026, 14:05 UTC`. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats how long something took as `45 s`, `6 min`, `1 h 5 min`, to the nearest second or minute. */
export function formatElapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${Math.max(1, seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** Shown to a person who mentions the bot without a question. Plain text. */
export const HELP = [
  'Ask me anything: mention me with a question, send me a direct message, or use /ask.',
  'I search the web and answer in a thread, with sources. Go on asking there: while it is just the two of us no mention is needed.',
  'For a thorough report write research: and your question, or use /research; I tell you when it is done. !jobs lists yours.',
  'I can be wrong. Check the sources before you rely on an answer.',
].join('\n');

/** What to tell a person whose message holds nothing to ask about; null when there is something. */
export function describeNothing({ text, quotes, attachments, title }: Question): string | null {
  if (text.trim() !== '' || attachments.length > 0 || title !== null) return null;
  if (quotes.length === 0) return HELP;
  if (quotes.some((quote) => quote.text !== '' || quote.attachments.length > 0)) return null;
  const held = new Set(quotes.map(({ unreadable }) => unreadable ?? 'it is empty'));
  return `I can't read anything in that message (${[...held].join(', ')}). Ask about it in words.`;
}
