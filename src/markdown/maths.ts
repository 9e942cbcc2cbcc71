/**
 * Formulas. Neither platform draws them, so they are shown as they were written, in code: as text their underscores, stars
 * and backslashes would be read as marks.
 */
import type { Mark } from './inline-scan.ts';

/** No formula in a line of text is longer, and none is waited for longer. */
const LONGEST = 300;

interface Kind {
  readonly open: string;
  readonly close: string;
  /** Whether what stands between the two is a formula. */
  readonly isFormula: (inside: string) => boolean;
  /** Whether what came so far can still become one. */
  readonly canBe: (inside: string) => boolean;
}

const always = (): boolean => true;
/** What no sentence has; escaped brackets around words are no formula. */
const isSigned = (inside: string): boolean => /[\\^_=<>+*/|{}]|^\s*\p{L}\s*$/u.test(inside);

const KINDS: readonly Kind[] = [
  { open: '\\(', close: '\\)', isFormula: isSigned, canBe: always },
  { open: '\\[', close: '\\]', isFormula: isSigned, canBe: always },
  { open: '$$', close: '$$', isFormula: (inside) => inside.trim() !== '', canBe: always },
  {
    open: '$',
    close: '$',
    // Mostly a dollar is money: `$5 and $6`, `$AAPL rose`.
    isFormula: (inside) => isSigned(inside) && !/^[\s\d]|\s$/.test(inside),
    canBe: (inside) => !/^[\s\d]|\n|^[^\\]*\p{L}{2}[^\\]*\s[^\\]*\p{L}{2}/u.test(inside),
  },
];

/**
 * The formula that begins at `at`, if one does: `open` while that is not known, null when it is none.
 * `ended`: nothing follows the text.
 */
export function readFormula(text: string, at: number, ended: boolean): Mark | null {
  const kind = KINDS.find(({ open }) => text.startsWith(open, at));
  const before = text.charAt(at - 1);
  // Part of the opening may be all there is.
  if (!ended && at + 1 >= text.length) return { state: 'open' };
  // Within a word or an address it is neither.
  if (kind === undefined || (kind.open === '$' && /[^\s([{"'*_~—–:|>「（]/u.test(before))) return null;
  const from = at + kind.open.length;
  // Never more than that: a text of nothing but openings must not be searched to its end for each.
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

/** A backtick would end the code it is shown in. */
function canBe(kind: Kind, inside: string): boolean {
  return !inside.includes('`') && kind.canBe(inside);
}

const CODE = /(`+)[^]*?[^`]\1(?!`)/y;

/** The text with its formulas as code; code that is there already stays as it is. */
export function formulasAsCode(text: string): string {
  if (!/\$|\\[([]/.test(text)) return text;
  let result = '';
  for (let at = 0; at < text.length; ) {
    const end = text.charAt(at) === '`' ? codeEnd(text, at) : formulaEnd(text, at);
    const piece = text.slice(at, end ?? at + (text.charAt(at) === '\\' ? 2 : 1));
    const isFormula = end !== null && !piece.startsWith('`');
    // Code beside code would be read as one.
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
