import {
  type AnswerEvent,
  type AnswerOptions,
  type Button,
  type Question,
  RELATED_ACTIONS,
  type Source,
  type Usage,
  type View,
} from '../types.ts';

/** What grows while the model writes. `text` only ever gets longer. */
export interface Answer {
  readonly state: View['state'];
  readonly status: string;
  readonly text: string;
  readonly sources: readonly Source[];
  readonly usage: Usage | null;
  readonly notices: readonly string[];
  /** What somebody may want to ask next. */
  readonly related: readonly string[];
  /** Set once the stream said that it is over. */
  readonly end: Extract<AnswerEvent, { type: 'done' }>['reason'] | null;
}

/** An answer before its first event. */
export const EMPTY_ANSWER: Answer = {
  state: 'waiting',
  status: 'is searching the web…',
  text: '',
  sources: [],
  usage: null,
  notices: [],
  related: [],
  end: null,
};

/** The answer after one more event. */
export function applyEvent(answer: Answer, event: AnswerEvent): Answer {
  switch (event.type) {
    case 'thinking':
      return answer.text === '' ? { ...answer, state: 'thinking', status: 'is reasoning…' } : answer;
    case 'searching':
      return answer.text === '' ? { ...answer, state: 'searching', status: 'is searching the web…' } : answer;
    case 'sources':
      return { ...answer, sources: event.sources };
    case 'text':
      // Nothing that a person could see: an answer of white space is an answer without text.
      if (answer.text === '' && event.text.trim() === '') return answer;
      return { ...answer, state: 'writing', status: 'is writing…', text: answer.text + event.text };
    case 'usage':
      return { ...answer, usage: event.usage };
    case 'related':
      return { ...answer, related: event.questions };
    case 'notice':
      return { ...answer, notices: [...answer.notices, event.text] };
    case 'done':
      return { ...answer, end: event.reason };
  }
}

/** The view of an unfinished answer. Notices wait for the end, because growing text would move them. */
export function progressView(answer: Answer, questionId: string): View {
  const { state, status, text, sources } = answer;
  const stop: Button = { action: 'stop', label: 'Stop', question: questionId };
  return { state, status, text, sources, notices: [], footer: null, buttons: [stop] };
}

/** The view of a question that the model cannot be asked yet. */
export function queuedView(status: string, questionId: string): View {
  return { ...progressView(EMPTY_ANSWER, questionId), state: 'queued', status };
}

/** A view that will not change any more; what is left out is empty. */
export function finalView(view: Partial<View>): View {
  const empty = {
    state: 'done',
    status: '',
    text: '',
    sources: [],
    notices: [],
    footer: null,
    buttons: [],
  } as const;
  return { ...empty, ...view };
}

/** The view of a complete answer. */
export function doneView(
  answer: Answer,
  options: AnswerOptions,
  tookMs: number,
  now: number,
  questionId: string,
): View {
  const notices = [...answer.notices];
  if (answer.sources.length === 0) notices.push('⚠ No web sources were used for this answer.');
  if (answer.end === 'length') notices.push('⚠ The answer reached its length limit.');
  if (answer.end === 'filtered') notices.push('⚠ Perplexity withheld the rest of this answer.');
  const { text, sources } = answer;
  const footer = formatFooter(answer, options, tookMs, now);
  return finalView({
    text,
    sources,
    notices,
    footer,
    buttons: [
      ...continueButton(answer, questionId),
      ...sourcesButton(sources, questionId),
      digDeeper(questionId),
      ...relatedButtons(answer, questionId),
    ],
  });
}

/** Only an answer that reached its length limit can be continued. */
function continueButton({ end }: Answer, question: string): readonly Button[] {
  return end === 'length' ? [{ action: 'continue', label: 'Continue', question }] : [];
}

/** Opens the full list of sources: the message itself lists only the first few. */
export function sourcesButton({ length }: readonly Source[], question: string): readonly Button[] {
  if (length === 0) return [];
  return [{ action: 'sources', label: length === 1 ? 'Source' : `All ${length} sources`, question }];
}

/** Slack allows 75 characters of a label, Discord 80. */
const LONGEST_LABEL = 75;

/** One for each of the first related questions. */
function relatedButtons({ related }: Answer, question: string): readonly Button[] {
  return RELATED_ACTIONS.flatMap((action, i): Button[] => {
    const asks = related[i]?.replaceAll(/\s+/g, ' ').trim();
    if (!asks) return [];
    const isLong = asks.length > LONGEST_LABEL;
    const label = isLong ? `${asks.slice(0, LONGEST_LABEL - 1).toWellFormed()}…` : asks;
    return [{ action, label, question, asks }];
  });
}

/** Puts a question that nobody has written in front of its answer, for those who read the thread. */
export function restateQuestion(view: View, { isRestated, text }: Question): View {
  if (!isRestated || view.text === '') return view;
  return { ...view, text: `> ${text.replaceAll(/\s+/g, ' ')}\n\n${view.text}` };
}

/** Starts deep research on the same question. */
function digDeeper(question: string): Button {
  return { action: 'research', label: 'Dig deeper', question };
}

function formatFooter(answer: Answer, options: AnswerOptions, tookMs: number, now: number): string {
  const parts: string[] = [options.profile ?? 'sonar'];
  if (answer.sources.length > 0) parts.push(formatFreshness(answer.sources, now));
  parts.push(...describeSearch(options), `${(tookMs / 1000).toFixed(1)} s`);
  return parts.join(' · ');
}

/** Tells what the options limit the search to. */
export function describeSearch({ recency, domains = [] }: AnswerOptions): readonly string[] {
  return [
    ...(recency ? [`past ${recency} only`] : []),
    ...(domains.length > 0 ? [`limited to ${domains.join(', ')}`] : []),
  ];
}

/** `9 sources · 7 sites · newest 2 h`: shows how current an answer can be. */
function formatFreshness(sources: readonly Source[], now: number): string {
  const sites = new Set(
    sources.map(({ url }) => (URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, '') : url)),
  );
  const newest = formatAge(sources, now);
  const counts = [plural(sources.length, 'source'), plural(sites.size, 'site')];
  return [...counts, ...(newest ? [`newest ${newest}`] : [])].join(' · ');
}

/** `1 source`, `62 sources`. */
export function plural(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

function formatAge(sources: readonly Source[], now: number): string | null {
  const dates = sources.map((source) => Date.parse(source.date ?? '')).filter((date) => date <= now);
  if (dates.length === 0) return null;
  const hours = Math.floor((now - Math.max(...dates)) / 3_600_000);
  if (hours < 48) return `${Math.max(1, hours)} h`;
  const days = Math.floor(hours / 24);
  return days < 60 ? `${days} d` : `${Math.floor(days / 30)} months`;
}
