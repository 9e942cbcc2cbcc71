/** The names that reasoning models give the block of their thoughts, in the brackets that they put them in. */
const NAME = String.raw`(?:think(?:ing)?|thoughts?|reasoning)`;
const OPEN = new RegExp(
  String.raw`^\s*(?:<${NAME}(?:\s+\w+=[^<>]*)?>|\[${NAME}\]|◁${NAME}▷|<\|begin_of_thought\|>)`,
  'i',
);
const CLOSING = String.raw`(?:<\/${NAME}\s*>|\[\/${NAME}\]|◁\/${NAME}▷|<\|end_of_thought\|>)`;
const CLOSE = new RegExp(CLOSING, 'i');
/** Without its opening tag: in the middle of a line it would be something that the answer is about. */
const CLOSE_ALONE = new RegExp(String.raw`(?:^|\n)[ \t]*${CLOSING}[ \t]*\n`, 'i');

/** What may still become a tag; none is longer than `LONGEST_TAG`. */
const OPEN_BEGUN = /^(?:<[a-z|][^<>\n]*|\[[a-z]*|◁[a-z]*|<)$/i;
const LONGEST_TAG = 40;

export interface ThoughtFilter {
  /** Takes the next piece of the model's text and returns what of it a person may read. */
  push(piece: string): string;
  /** The thoughts come in another way than in the text: nothing is held back in case it is one. Returns what was. */
  trustText(): string;
  /** The text is over: returns what was held back because it might have become a tag or have been thoughts. */
  end(): string;
  /** True once thoughts have begun, or what may be thoughts. */
  hasThought(): boolean;
}

/**
 * Removes the `<think>…</think>` blocks that reasoning models write before their answer, however the text is cut into pieces.
 * Only blocks at the very start count: the same tag later is part of the answer (somebody may ask about it). A block that is
 * never closed swallows the rest. `mayLackTag`: the prompt of some models ends with the opening tag, so that their text begins
 * with thoughts and only closes them; such text is held back until it does.
 */
export function createThoughtFilter(mayLackTag = false): ThoughtFilter {
  let state: 'start' | 'thinking' | 'undecided' | 'answer' = 'start';
  let held = '';
  let hasThought = false;
  let isTrusted = !mayLackTag;

  const release = (): string => {
    if (state === 'thinking') return '';
    state = 'answer';
    const text = held;
    held = '';
    return text;
  };
  const trustText = (): string => {
    isTrusted = true;
    return state === 'undecided' ? release() : '';
  };
  /** Passes over the next tag that opens or closes a block; false when there is none. */
  const passTag = (tag: RegExp, next: 'start' | 'thinking'): boolean => {
    const found = tag.exec(held);
    if (!found) return false;
    held = held.slice(found.index + found[0].length).trimStart();
    state = next;
    hasThought = true;
    return true;
  };
  const push = (piece: string): string => {
    if (state === 'answer') return piece;
    held += piece;
    for (;;) {
      if (state === 'start') {
        if (passTag(OPEN, 'thinking')) continue;
        // White space between blocks, and before the answer behind one, belongs to neither.
        if (hasThought) held = held.trimStart();
        const lead = held.trimStart();
        if (lead === '' || (lead.length < LONGEST_TAG && OPEN_BEGUN.test(lead))) return '';
        // Behind a block nothing lacks its tag any more.
        if (isTrusted || hasThought) return release();
        state = 'undecided';
      }
      if (passTag(state === 'thinking' ? CLOSE : CLOSE_ALONE, 'start')) continue;
      // Only what could be the beginning of the closing tag is kept of thoughts.
      if (state === 'thinking') held = held.slice(-LONGEST_TAG);
      return '';
    }
  };
  return { push, trustText, end: release, hasThought: () => hasThought || state === 'undecided' };
}

/** A whole text without its thoughts. */
export function removeThoughts(text: string): string {
  const thoughts = createThoughtFilter(true);
  return thoughts.push(text) + thoughts.end();
}
