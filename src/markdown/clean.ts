/**
 * Invisible and direction-changing characters have no business in an answer: they hide text, reverse it, or split a word so
 * that a scanner misses what a reader's browser would still follow. They go before anything else looks at the text.
 */

/** Cleans a text that arrives in pieces; the same text gives the same result wherever it was cut. */
export interface Cleaner {
  /** Takes what is new, returns what is certain. `complete`: nothing follows. */
  feed(delta: string, complete: boolean): string;
}

/** Controls, bidi marks, zero-width and filler characters, variation selectors, tags, joiners, surrogates out of pairs. */
const SUSPECT =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff]/;

const FLAG = String.raw`\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{2,6}\u{E007F}`;
const COMPLEX_LETTER = String.raw`[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff]`;

/** What stays (first alternatives) and what goes (the rest); tried at each place in this order. */
const RULES = new RegExp(
  [
    FLAG,
    // A joiner inside an emoji, and (non-)joiners between letters of scripts that are spelt with them.
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
    `(?<=${COMPLEX_LETTER})[\\u200c\\u200d](?=${COMPLEX_LETTER})`,
    String.raw`(?<=[\p{Emoji}\p{Extended_Pictographic}])[\ufe0e\ufe0f]`,
    String.raw`(?<breaks>\r\n?|[\u2028\u2029\u0085])`,
    String.raw`(?<lone>\p{Cs})`,
    String.raw`(?<gone>[\p{Cc}\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u{E0000}-\u{E0FFF}])`,
  ].join('|'),
  'gu',
);

/** What the next character could still change: half a pair, a carriage return, a joiner, a flag being spelt. */
const UNCERTAIN =
  /(?:[\r\u200c\u200d]+[\ud800-\udbff]?|[\ud800-\udbff]|\u{1F3F4}[\u{E0000}-\u{E0FFF}]*(?:\udb40)?)$/u;

/** How much cleaned text the look-behinds of the rules can see. */
const CONTEXT = 8;

/** A cleaner for one text. */
export function createCleaner(): Cleaner {
  let held = '';
  let before = '';
  return {
    feed(delta, complete) {
      let chunk = held + delta;
      held = '';
      if (!complete) {
        const tail = UNCERTAIN.exec(chunk.slice(-64));
        if (tail !== null) {
          held = tail[0];
          chunk = chunk.slice(0, chunk.length - held.length);
        }
      }
      if (!SUSPECT.test(chunk)) {
        before = (before + chunk).slice(-CONTEXT);
        return chunk;
      }
      const cleaned = apply(before + chunk, before.length);
      before = (before + cleaned).slice(-CONTEXT);
      return cleaned;
    },
  };
}

/** The same for a whole text. */
export function clean(text: string): string {
  return SUSPECT.test(text) ? apply(text, 0) : text;
}

function apply(text: string, from: number): string {
  let result = '';
  let last = from;
  RULES.lastIndex = from;
  for (let found = RULES.exec(text); found !== null; found = RULES.exec(text)) {
    const replacement = replacementFor(found);
    if (replacement === null) continue;
    result += text.slice(last, found.index) + replacement;
    last = found.index + found[0].length;
  }
  return result + text.slice(last);
}

function replacementFor(found: RegExpExecArray): string | null {
  const { breaks, lone, gone } = found.groups ?? {};
  if (breaks !== undefined) return '\n';
  if (lone !== undefined) return '\ufffd';
  // `\p{Cc}` covers tab and newline, which are text.
  return gone === undefined || gone === '\n' || gone === '\t' ? null : '';
}
