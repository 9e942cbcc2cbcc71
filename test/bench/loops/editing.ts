/** The minimal post + edit loop: the first text is posted, then edited once a second, then once more at the end. */
const EDIT_EVERY_MS = 1_000;

/** How a baseline shows text: posts or edits the message it keeps for this answer. One call at a time. */
export type Show = (text: string) => Promise<void>;

export interface Editing {
  grown(text: string): void;
  /** Waits for the edit in flight, then shows the whole text. */
  finish(text: string): Promise<void>;
}

export function createEditing(show: Show): Editing {
  let lastAt = 0;
  let inFlight: Promise<void> | null = null;
  const write = async (text: string): Promise<void> => {
    lastAt = performance.now();
    await show(text).catch((error: unknown) => console.error(String(error)));
    inFlight = null;
  };
  return {
    grown(text) {
      if (inFlight !== null || performance.now() - lastAt < EDIT_EVERY_MS) return;
      inFlight = write(text);
    },
    async finish(text) {
      await inFlight;
      await write(text);
    },
  };
}
