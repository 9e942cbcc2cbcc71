/** The search as a step of a native stream (`task_update`), shown once, where Slack takes it. */
import type { ChatAppendStreamArguments } from '@slack/web-api';
import type { Source } from '../../core/types.ts';
import { cutText, plain } from '../../markdown/text.ts';
import { canonicalUrl, linkTarget } from '../../markdown/urls.ts';
import type { ReplyMessage, ReplyState } from './reply-state.ts';

type Chunk = NonNullable<ChatAppendStreamArguments['chunks']>[number];
export type SearchStep = Extract<Chunk, { readonly type: 'task_update' }>;
type StepSource = NonNullable<SearchStep['sources']>[number];

/** Slack counts the whole step towards the size of a stream; sources beyond this are listed under the answer only. */
const STEP_LIMIT = 1_200;
const TITLE_LIMIT = 80;

/** Makes the search the step that goes with the next words, if it was not shown yet and Slack is not known to refuse steps. */
export function offerStep(state: ReplyState, sources: readonly Source[]): void {
  const wasShown = state.messages.some(({ stepSize }) => stepSize > 0);
  const isDue = !wasShown && !state.workspace.unsupported.steps && sources.length > 0;
  state.step = isDue ? searchStep(sources) : null;
}

/**
 * The next words of a stream as arguments of its methods, after the search step if that is due. An edited message has no
 * place for a step, and behind the last words it would only repeat the list of sources.
 */
export function streamWords(
  { step }: ReplyState,
  words: string,
): { markdown_text: string } | { chunks: Chunk[] } {
  return step === null
    ? { markdown_text: words }
    : { chunks: [step, { type: 'markdown_text', text: words }] };
}

/** Slack has taken what `streamWords` gave for this message. */
export function stepShown(state: ReplyState, message: ReplyMessage): void {
  if (state.step === null) return;
  message.stepSize = JSON.stringify(state.step).length;
  state.step = null;
}

/** Where agents are switched off, Slack refuses chunks other than text: the words go without the step from now on. */
export function refuseStep(state: ReplyState): void {
  state.workspace.unsupported.steps = true;
  state.step = null;
}

/** The step of an answer that rests on these sources, with as many of them as fit. */
function searchStep(sources: readonly Source[]): SearchStep {
  const title = `Searched the web — ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`;
  const step = { type: 'task_update', id: 'search', title, status: 'complete' } as const;
  return { ...step, sources: sourcesThatFit(sources, STEP_LIMIT - JSON.stringify(step).length) };
}

function sourcesThatFit(sources: readonly Source[], room: number): StepSource[] {
  const chosen: StepSource[] = [];
  const seen = new Set<string>();
  let left = room;
  for (const { url, title } of sources) {
    const target = linkTarget(url);
    const page = canonicalUrl(url);
    if (target === null || page === null || seen.has(page)) continue;
    const source: StepSource = { type: 'url', url: target, text: plain(cutText(title, TITLE_LIMIT)) || page };
    left -= JSON.stringify(source).length + 1;
    if (left < 0) break;
    seen.add(page);
    chosen.push(source);
  }
  return chosen;
}
