const OPEN = '<think>';
const CLOSE = '</think>';

export interface ThoughtFilter {
  /** Takes the next piece of the model's text and returns what of it a person may read. */
  push(piece: string): string;
  /** The text is over: returns what was held back because it might have become a tag. */
  end(): string;
  /** True once a block of thoughts has begun. */
  hasThought(): boolean;
}

/**
 * Removes the `<think>…</think>` block that reasoning models write before their answer, however the text is cut into
 * pieces. Only a block at the very start counts: the same tag later is part of the answer (somebody may ask about it).
 * A block that is never closed swallows the rest.
 */
export function createThoughtFilter(): ThoughtFilter {
  let state: 'start' | 'thinking' | 'after' | 'answer' = 'start';
  let held = '';
  let hasThought = false;

  const readStart = (): string => {
    const lead = held.trimStart();
    if (lead.startsWith(OPEN)) {
      state = 'thinking';
      hasThought = true;
      held = lead.slice(OPEN.length);
      return skipThoughts();
    }
    if (OPEN.startsWith(lead)) return '';
    return release();
  };
  const skipThoughts = (): string => {
    const end = held.indexOf(CLOSE);
    if (end < 0) {
      // Only what could be the beginning of the closing tag is kept.
      held = held.slice(-(CLOSE.length - 1));
      return '';
    }
    state = 'after';
    held = held.slice(end + CLOSE.length);
    return skipSpace();
  };
  const skipSpace = (): string => {
    held = held.trimStart();
    return held === '' ? '' : release();
  };
  const release = (): string => {
    const text = held;
    state = 'answer';
    held = '';
    return text;
  };

  return {
    push(piece) {
      if (state === 'answer') return piece;
      held += piece;
      if (state === 'start') return readStart();
      return state === 'thinking' ? skipThoughts() : skipSpace();
    },
    end: () => (state === 'start' ? release() : ''),
    hasThought: () => hasThought,
  };
}

/** A whole text without its thoughts. */
export function removeThoughts(text: string): string {
  const thoughts = createThoughtFilter();
  return thoughts.push(text) + thoughts.end();
}
