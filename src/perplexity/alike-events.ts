/** Events that differ in nothing but their text: a stream is made of hardly anything else. */
export interface AlikeEvents {
  /** The text of an event that is like the one learned from; null for any other. */
  textOf(data: string): string | null;
  /** Learns from an event that brought this text. */
  learn(data: string, text: string): void;
}

/** After so many lessons in vain nothing more is learned: each costs as much as reading an event. */
const MOST_IN_VAIN = 8;

/**
 * Spares the reading of whole events where only their text is new: what stands around it in the one learned from is compared,
 * and the text alone is parsed. `onlyText` reads an event as usual and returns its text if that is all it brings, else null;
 * it may throw.
 */
export function createAlikeEvents(onlyText: (data: string) => string | null): AlikeEvents {
  let before: string | null = null;
  let after = '';
  let inVain = 0;
  /** What was found may be something else: another text in its place has to be what the event brings then. */
  const brings = (text: string, head: string, tail: string): boolean => {
    try {
      return onlyText(head + JSON.stringify(text) + tail) === text;
    } catch {
      // It was not even a string: a comma between two of them looks like one.
      return false;
    }
  };
  return {
    textOf(data) {
      if (before === null || !data.startsWith(before) || !data.endsWith(after)) return null;
      const text = parsed(data.slice(before.length, data.length - after.length));
      if (text !== null) inVain = 0;
      return text;
    },
    learn(data, text) {
      if (inVain >= MOST_IN_VAIN) return;
      inVain += 1;
      const written = JSON.stringify(text);
      const at = data.indexOf(written);
      if (at < 0) return;
      const [head, tail] = [data.slice(0, at), data.slice(at + written.length)];
      if (!brings(`${text}!`, head, tail)) return;
      before = head;
      after = tail;
    },
  };
}

/** The string that this is in JSON; null when it is something else, such as two of them. */
function parsed(written: string): string | null {
  try {
    const value: unknown = JSON.parse(written);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
