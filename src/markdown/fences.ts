import { type Dialect, withoutFences } from './dialects.ts';
import { mayCut } from './graphemes.ts';
import type { Line } from './lines.ts';
import { type Prefix, raw } from './pieces.ts';
import type { Parts } from './split-parts.ts';

/** The line that opens a block. */
type Opening = Extract<Line, { type: 'fence' }>;

/** Code without spaces is passed on in stretches of this many characters. */
const STRETCH = 200;

export type Fence = ReturnType<typeof createFence>;

/** Opens a fenced code block whose lines begin with `prefix`. It is passed on word by word. */
export function createFence(parts: Parts, dialect: Dialect, opening: Opening, prefix: Prefix) {
  const { fence } = dialect;
  parts.open({ opener: [raw(fence === '' ? '' : fence + opening.language)], closer: fence, prefix });
  let isClosed = false;
  let inLine = false;
  const end = (): void => {
    if (!isClosed) parts.close();
    isClosed = true;
  };
  return {
    get isClosed(): boolean {
      return isClosed;
    },
    /** Takes what the buffer begins with, once it is decided, and returns the rest; null when more text is needed. */
    step(buffer: string, complete: boolean): string | null {
      if (inLine) {
        const code = readCode(buffer, complete);
        if (code === null) return null;
        if (code !== '') parts.put([raw(dialect.code(withoutFences(code)))], 'word');
        inLine = !buffer.startsWith('\n', code.length);
        return buffer.slice(code.length + (inLine ? 0 : 1));
      }
      const start = readStart(buffer, complete, opening);
      if (start === null) return null;
      if (start.isClosing) end();
      else {
        parts.codeLine();
        inLine = true;
      }
      return buffer.slice(start.length);
    },
    end,
  };
}

/** A line that is not over and could be a closing one. */
const CLOSING_BEGUN = /^[ \t]*[`~$\\\]]*[.,;]?[ \t]*$/;

/** Matches the closing line: a fence at least as long as the opening one, or the end of a formula. */
function closingOf(mark: string): RegExp {
  if (mark === '$$') return /^[ \t]*\$\$[.,;]?[ \t]*$/;
  if (mark === '\\[') return /^[ \t]*\\\][.,;]?[ \t]*$/;
  return new RegExp(`^[ \\t]*${mark.charAt(0)}{${mark.length},}[ \\t]*$`);
}

/** Measures what stands before the code of a line, or the whole closing line; null when more text is needed. */
function readStart(
  buffer: string,
  complete: boolean,
  { mark, quote, indent }: Opening,
): { readonly isClosing: boolean; readonly length: number } | null {
  const end = buffer.indexOf('\n');
  const line = buffer.slice(0, end === -1 ? Math.min(buffer.length, 2 * STRETCH) : end);
  const isWhole = end !== -1 || complete || line.length >= STRETCH;
  const quoted = new RegExp(`^(?: {0,3}>[ \\t]?){${quote}}`).exec(line)?.[0];
  // A line outside the quote ends the block.
  if (quoted === undefined) return !isWhole && /^[ \t>]*$/.test(line) ? null : { isClosing: true, length: 0 };
  const content = line.slice(quoted.length);
  if (!isWhole && CLOSING_BEGUN.test(content)) return null;
  if (isWhole && closingOf(mark).test(content)) return { isClosing: true, length: line.length + 1 };
  const indented = new RegExp(`^ {0,${indent}}`).exec(content)?.[0] ?? '';
  return { isClosing: false, length: quoted.length + indented.length };
}

/** Takes one word of code with the spaces before it; null when more text is needed. */
function readCode(buffer: string, complete: boolean): string | null {
  const word = /^[^\S\n]*[^\s]*/.exec(buffer.slice(0, 2 * STRETCH))?.[0] ?? '';
  if (word.length <= STRETCH) return complete || word.length < buffer.length ? word : null;
  for (let at = STRETCH; at < word.length; at += 1) {
    const cut = mayCut(buffer, at, complete);
    if (cut === 'unknown') return null;
    if (cut === 'here') return buffer.slice(0, at);
  }
  return word.length < buffer.length || complete ? word : null;
}
