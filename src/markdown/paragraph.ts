import { createFlow, type Flow } from './inline-flow.ts';
import type { Parts } from './parts.ts';
import { inline, type Prefix } from './pieces.ts';

/** The end of a sentence, behind which a part may well end. */
const SENTENCE_END = /[.!?…。！？]["'”’)\]*_]*$/;

/** Inline text that goes to the parts word by word, its further lines behind `prefix`. `eager` as in `createFlow`. */
export function createParagraph(parts: Parts, prefix: Prefix, eager: boolean): Flow {
  let isSentenceOver = false;
  const sink = {
    unit({ source, glued }: { readonly source: string; readonly glued: boolean }) {
      parts.put([inline(source, { glued })], isSentenceOver && !glued ? 'sentence' : 'word');
      isSentenceOver = SENTENCE_END.test(source);
    },
    words(run: string) {
      const isPut = parts.putWords(run, isSentenceOver ? 'sentence' : 'word');
      // A full stop can only be the last of an ordinary word.
      if (isPut) isSentenceOver = SENTENCE_END.test(run.slice(-1));
      return isPut;
    },
    space: () => parts.space(),
    newline: () => parts.line(prefix, 1, 'line'),
  };
  return createFlow(sink, eager);
}
