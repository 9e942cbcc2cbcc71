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

  const release = (): string => {
    state = 'answer';
    return held;
  };
  return {
    push(piece) {
      if (state === 'answer') return piece;
      held += piece;
      if (state === 'start') {
        const lead = held.trimStart();
        if (!lead.startsWith(OPEN)) return OPEN.startsWith(lead) ? '' : release();
        state = 'thinking';
        hasThought = true;
        held = lead.slice(OPEN.length);
      }
      if (state === 'thinking') {
        const end = held.indexOf(CLOSE);
        // Only what could be the beginning of the closing tag is kept.
        held = end < 0 ? held.slice(1 - CLOSE.length) : held.slice(end + CLOSE.length);
        if (end < 0) return '';
        state = 'after';
      }
      held = held.trimStart();
      return held === '' ? '' : release();
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
