/** Formulas. No platform draws them, so they are shown as code: as text their underscores and stars would become marks. */
import type { Mark } from './inline-scan.ts';

/** The longest inline formula. */
const LONGEST = 300;

interface Kind {
  readonly open: string;
  readonly close: string;
  /** Whether the content is a formula. */
  readonly isFormula: (inside: string) => boolean;
  /** Whether the text so far can still become a formula. */
  readonly canBe: (inside: string) => boolean;
}

const always = (): boolean => true;
/** Characters of formulas; escaped brackets around words are none. */
const isSigned = (inside: string): boolean => /[\\^_=<>+*/|{}]|^\s*\p{L}\s*$/u.test(inside);

const KINDS: readonly Kind[] = [
  { open: '\\(', close: '\\)', isFormula: isSigned, canBe: always },
  { open: '\\[', close: '\\]', isFormula: isSigned, canBe: always },
  { open: '$$', close: '$$', isFormula: (inside) => inside.trim() !== '', canBe: always },
  {
    open: '$',
    close: '$',
    // A dollar usually means money: `$5 and $6`, `$AAPL rose`.
    isFormula: (inside) => isSigned(inside) && !/^[\s\d]|\s$/.test(inside),
    canBe: (inside) => !/^[\s\d]|\n|^[^\\]*\p{L}{2}[^\\]*\s[^\\]*\p{L}{2}/u.test(inside),
  },
];

/** Reads the formula that begins at `at`: `open` while undecided, null when there is none. `ended`: nothing follows. */
export function readFormula(text: string, at: number, ended: boolean): Mark | null {
  const kind = KINDS.find(({ open }) => text.startsWith(open, at));
  const before = text.charAt(at - 1);
  // The opening itself may be incomplete.
  if (!ended && at + 1 >= text.length) return { state: 'open' };
  // Inside a word or an address it is no formula.
  if (kind === undefined || (kind.open === '$' && /[^\s([{"'*_~—–:|>「（]/u.test(before))) return null;
  const from = at + kind.open.length;
  // The bound keeps a text of nothing but openings linear.
  const near = text.slice(from, from + LONGEST + kind.close.length);
  const length = near.indexOf(kind.close);
  if (length === -1) {
    const isWaited = !ended && near.length < LONGEST + kind.close.length;
    return isWaited && canBe(kind, near) ? { state: 'open' } : null;
  }
  const inside = near.slice(0, length);
  if (!canBe(kind, inside) || !kind.isFormula(inside)) return null;
  const after = from + length + kind.close.length;
  if (kind.open !== '$') return { state: 'closed', end: after };
  if (after >= text.length && !ended) return { state: 'open' };
  return /[\p{L}\p{N}$]/u.test(text.charAt(after)) ? null : { state: 'closed', end: after };
}

/** A backtick would end the code. */
function canBe(kind: Kind, inside: string): boolean {
  return !inside.includes('`') && kind.canBe(inside);
}

const CODE = /(`+)[^]*?[^`]\1(?!`)/y;

/** Turns formulas into code; existing code stays unchanged. */
export function formulasAsCode(text: string): string {
  if (!/\$|\\[([]/.test(text)) return text;
  let result = '';
  for (let at = 0; at < text.length; ) {
    const end = text.charAt(at) === '`' ? codeEnd(text, at) : formulaEnd(text, at);
    const piece = text.slice(at, end ?? at + (text.charAt(at) === '\\' ? 2 : 1));
    const isFormula = end !== null && !piece.startsWith('`');
    // Adjacent code spans would be parsed as one.
    if (isFormula)
      result += `${result.endsWith('`') ? ' ' : ''}\`${insideOf(piece)}\`${text.charAt(at + piece.length) === '`' ? ' ' : ''}`;
    else result += piece;
    at += piece.length;
  }
  return result;
}

function codeEnd(text: string, at: number): number | null {
  CODE.lastIndex = at;
  return CODE.test(text) ? CODE.lastIndex : null;
}

function formulaEnd(text: string, at: number): number | null {
  if (!/[\\$]/.test(text.charAt(at))) return null;
  const formula = readFormula(text, at, true);
  return formula?.state === 'closed' ? formula.end : null;
}

function insideOf(formula: string): string {
  const edge = /^\$(?!\$)/.test(formula) ? 1 : 2;
  return formula.slice(edge, -edge).trim();
}
