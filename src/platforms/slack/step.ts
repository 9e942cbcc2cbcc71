/** The search as a step of a native stream: `task_update`, shown once, where Slack takes it. */
import type { Source } from '../../core/types.ts';
import { cutText, plain } from '../../markdown/text.ts';
import { canonicalUrl, linkTarget } from '../../markdown/urls.ts';
import type { Drawing, Slot } from './drawing.ts';

type Chunk = Readonly<Record<string, unknown>>;

/** Slack counts the whole step towards what a stream may hold: the rest is listed under the answer. */
const STEP_LIMIT = 1_200;
const TITLE_LIMIT = 80;

/** The step of an answer that rests on these sources, as many of them as fit. */
function searchStep(sources: readonly Source[]): Chunk {
  const title = `Searched the web — ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`;
  const step = { type: 'task_update', id: 'search', title, status: 'complete', sources: [] };
  return { ...step, sources: thatFit(sources, STEP_LIMIT - JSON.stringify(step).length) };
}

function thatFit(sources: readonly Source[], room: number): readonly Chunk[] {
  const chosen: Chunk[] = [];
  const seen = new Set<string>();
  let left = room;
  for (const { url, title } of sources) {
    const target = linkTarget(url);
    const page = canonicalUrl(url);
    if (target === null || page === null || seen.has(page)) continue;
    const source = { type: 'url', url: target, text: plain(cutText(title, TITLE_LIMIT)) || page };
    left -= JSON.stringify(source).length + 1;
    if (left < 0) break;
    seen.add(page);
    chosen.push(source);
  }
  return chosen;
}

/** Makes the search the step that goes with the next words, if it was not shown yet and Slack is known to take steps. */
export function offerStep(drawing: Drawing, sources: readonly Source[]): void {
  const isDue = !drawing.isStepOver && !drawing.desk.latches.noSteps && sources.length > 0;
  drawing.step = isDue ? searchStep(sources) : null;
}

/**
 * The next words of a stream as Slack's arguments, behind the search step if that is due. In messages that are edited there
 * is no place for a step, and behind the last words it would only repeat what is listed there.
 */
export function wordsOf({ step }: Drawing, words: string): Readonly<Record<string, unknown>> {
  if (step === null) return { markdown_text: words };
  return { chunks: [step, { type: 'markdown_text', text: words }] };
}

/** Slack has taken what `wordsOf` gave for this message. */
export function stepShown(drawing: Drawing, slot: Slot): void {
  if (drawing.step === null) return;
  slot.stepSize = JSON.stringify(drawing.step).length;
  endStep(drawing);
}

/** Where agents are switched off, Slack refuses whatever is not text; the words go without the step from now on. */
export function refuseStep(drawing: Drawing): void {
  if (drawing.step !== null) drawing.desk.latches.noSteps = true;
  endStep(drawing);
}

function endStep(drawing: Drawing): void {
  drawing.step = null;
  drawing.isStepOver = true;
}
