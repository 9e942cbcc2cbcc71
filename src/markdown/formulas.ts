/** Formulas. No platform draws them, so they are shown as code: as text their underscores and stars would become marks. */

/** The longest inline formula. */
const LONGEST = 1_200;

interface Kind {
  readonly open: string;
  readonly close: string;
  /** Content that is a formula. */
  readonly formula: RegExp;
  /** Content that cannot become a formula any more. */
  readonly isText?: (inside: string) => boolean;
}

/** Characters of formulas; escaped brackets around words are none. */
const SIGNED = /[\\^_=<>+*/|{}]|^\s*\p{L}\s*$/u;

const KINDS: readonly Kind[] = [
  { open: '\\(', close: '\\)', formula: SIGNED },
  { open: '\\[', close: '\\]', formula: SIGNED },
  { open: '$$', close: '$$', formula: /\S/ },
  // A dollar usually means money: `$5 and $6`, `$AAPL rose`.
  { open: '$', close: '$', formula: SIGNED, isText: isMoney },
];

function isMoney(inside: string): boolean {
  if (/^[\s\d]|\n/.test(inside)) return true;
  const words = inside.replace(/\\[^]*/, '').split(/\s/);
  return words.filter((word) => /\p{L}{2}/u.test(word)).length > 1;
}

type Formula =
  | { readonly state: 'open' }
  | { readonly state: 'closed'; readonly end: number; readonly inside: string };

/** Reads the formula that begins at `at`: `open` while undecided, null when there is none. `ended`: nothing follows. */
export function readFormula(text: string, at: number, ended: boolean): Formula | null {
  // The opening itself may be incomplete.
  if (!ended && at + 1 >= text.length) return { state: 'open' };
  const kind = KINDS.find(({ open }) => text.startsWith(open, at));
  if (kind === undefined) return null;
  const isDollar = kind.open === '$';
  // Inside a word or an address it is no formula.
  if (isDollar && /[^\s([{"'*_~—–:|>「（]/u.test(text.charAt(at - 1))) return null;
  const from = at + kind.open.length;
  // The bound keeps a text of nothing but openings linear.
  const near = text.slice(from, from + LONGEST + kind.close.length);
  const length = near.indexOf(kind.close);
  const inside = length === -1 ? near : near.slice(0, length);
  // A backtick would end the code.
  if (inside.includes('`') || kind.isText?.(inside) === true) return null;
  if (length === -1) return !ended && near.length < LONGEST + kind.close.length ? { state: 'open' } : null;
  if (!kind.formula.test(inside) || (isDollar && /\s$/.test(inside))) return null;
  const end = from + length + kind.close.length;
  if (isDollar && end >= text.length && !ended) return { state: 'open' };
  return isDollar && /[\p{L}\p{N}$]/u.test(text.charAt(end)) ? null : { state: 'closed', end, inside };
}

/** Code, an escape or one character: what is passed over in the search for formulas. */
const PASSED = /(`+)[^]*?[^`]\1(?!`)|\\[^]|[^]/y;

/** Turns formulas into code; existing code stays unchanged. */
export function formulasAsCode(text: string): string {
  if (!/\$|\\[([]/.test(text)) return text;
  let result = '';
  for (let at = 0; at < text.length; ) {
    const formula = readFormula(text, at, true);
    if (formula?.state === 'closed') {
      at = formula.end;
      // Adjacent code spans would be parsed as one.
      result += `${result.endsWith('`') ? ' ' : ''}\`${formula.inside.trim()}\`${text.charAt(at) === '`' ? ' ' : ''}`;
    } else {
      PASSED.lastIndex = at;
      result += PASSED.exec(text)?.[0] ?? '';
      at = PASSED.lastIndex;
    }
  }
  return result;
}
