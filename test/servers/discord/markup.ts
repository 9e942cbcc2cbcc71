/** Where Discord's Markdown sees code: fences that are closed, and inline runs of backticks that are. */
const CODE = /^(?:```[\s\S]*?[^`\n][\s\S]*?```|(`+)(?!`)[\s\S]*?[^`]\1(?!`))/;

interface Piece {
  readonly text: string;
  readonly code: boolean;
}

/** Splits a text into code and the rest, left to right, honouring backslash escapes. */
function pieces(content: string): Piece[] {
  const result: Piece[] = [];
  let plain = '';
  let at = 0;
  while (at < content.length) {
    const rest = content.slice(at);
    if (rest.startsWith('\\`')) {
      plain += '\\`';
      at += 2;
      continue;
    }
    const code = rest.startsWith('`') ? CODE.exec(rest)?.[0] : undefined;
    if (code !== undefined) {
      result.push({ text: plain, code: false }, { text: code, code: true });
      plain = '';
      at += code.length;
      continue;
    }
    const next = rest.slice(1).search(/[`\\]/);
    const length = next === -1 ? rest.length : next + 1;
    plain += rest.slice(0, length);
    at += length;
  }
  result.push({ text: plain, code: false });
  return result;
}

/** The text with its code replaced by spaces of the same length. */
export function withoutCode(content: string): string {
  return pieces(content)
    .map((piece) => (piece.code ? ' '.repeat(piece.text.length) : piece.text))
    .join('');
}
