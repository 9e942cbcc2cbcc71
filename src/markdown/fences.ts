import { type Dialect, withoutFences } from './dialects.ts';
import type { Parts } from './parts.ts';
import { type Prefix, raw } from './pieces.ts';

/** A block of code between fences, handed on as it arrives. */
export interface Fence {
  readonly isClosed: boolean;
  /** Takes what it can of the buffer and returns the rest. */
  feed(buffer: string, complete: boolean): string;
  end(): void;
}

interface FenceLine {
  readonly mark: string;
  readonly language: string;
  readonly quote: number;
  readonly indent: number;
}

/** Code is handed on in stretches of at most this many characters, so that a part can end between them. */
const STRETCH = 200;

/** A block that `line` opens. Its lines stand behind `prefix`. */
export function createFence(parts: Parts, dialect: Dialect, line: FenceLine, prefix: Prefix): Fence {
  const { fence } = dialect;
  parts.open({ opener: [raw(fence === '' ? '' : fence + line.language)], closer: fence, prefix });
  const closing = new RegExp(`^[ \\t]*${line.mark.charAt(0)}{${line.mark.length},}[ \\t]*$`);
  const closingBegun = new RegExp(`^[ \\t]*${line.mark.charAt(0)}*[ \\t]*$`);
  const indent = new RegExp(`^ {0,${line.indent}}`);
  let isClosed = false;
  let inLine = false;

  const close = (): void => {
    if (!isClosed) parts.close();
    isClosed = true;
  };
  /** The length of the container's part of the line; null when the line has left the container. */
  const contentAt = (text: string, isWhole: boolean): number | 'open' | null => {
    const quoted = new RegExp(`^(?: {0,3}>[ \\t]?){${line.quote}}`).exec(text);
    if (quoted === null) return !isWhole && /^[ \t>]*$/.test(text) ? 'open' : null;
    return quoted[0].length + (indent.exec(text.slice(quoted[0].length))?.[0].length ?? 0);
  };
  const write = (code: string): void => {
    for (const stretch of stretches(withoutFences(code))) parts.put([raw(dialect.code(stretch))], 'word');
  };
  /** The first characters of a line: closing fence, end of the container, or code. Null when more is needed. */
  const startLine = (buffer: string, complete: boolean): string | null => {
    const end = buffer.indexOf('\n');
    const text = end === -1 ? buffer : buffer.slice(0, end);
    const isWhole = end !== -1 || complete;
    const at = contentAt(text, isWhole);
    if (at === 'open') return null;
    if (at === null) {
      close();
      return buffer;
    }
    const content = text.slice(at);
    if (!isWhole && content.length < STRETCH && closingBegun.test(content)) return null;
    if (isWhole && closing.test(content)) {
      close();
      return buffer.slice(text.length + 1);
    }
    parts.codeLine();
    inLine = true;
    return buffer.slice(at);
  };
  return {
    get isClosed() {
      return isClosed;
    },
    feed(buffer, complete) {
      let rest = buffer;
      while (!isClosed && rest !== '') {
        if (!inLine) {
          const started = startLine(rest, complete);
          if (started === null) return rest;
          rest = started;
          continue;
        }
        const end = rest.indexOf('\n');
        // Backticks at the end may become a fence.
        const upTo = end !== -1 ? end : complete ? rest.length : rest.length - trailingTicks(rest);
        write(rest.slice(0, upTo));
        inLine = end === -1;
        rest = rest.slice(end === -1 ? upTo : end + 1);
        if (end === -1) return rest;
      }
      return rest;
    },
    end: close,
  };
}

function trailingTicks(text: string): number {
  return /[`\ud800-\udbff]{0,64}$/.exec(text)?.[0].length ?? 0;
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Cuts long code between characters as a reader sees them. */
function stretches(code: string): readonly string[] {
  if (code.length <= STRETCH) return code === '' ? [] : [code];
  const result: string[] = [];
  let current = '';
  for (const { segment } of GRAPHEMES.segment(code)) {
    if (current.length + segment.length > STRETCH && current !== '') {
      result.push(current);
      current = '';
    }
    current += segment;
  }
  return [...result, current];
}
