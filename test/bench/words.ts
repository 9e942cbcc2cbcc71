/**
 * What the model of the bench writes. Every token holds one word that no other token of a run holds, so any piece of text
 * seen on a platform says by itself which answer it belongs to and how far that answer has come.
 */

/** One question of a run. The model learns everything from its text, so nothing has to be arranged with it beforehand. */
export interface BenchQuestion {
  readonly n: number;
  /** The number of the first word of its answer. The ranges of a run begin `slotOf` words apart. */
  readonly from: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  readonly firstTokenMs: number;
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** The first character is a letter: years and counts in footers are no words. */
const LETTERS = DIGITS.slice(10);
const BLOCK = DIGITS.length ** 3;

/** How many words there are. */
export const MOST_WORDS = LETTERS.length * BLOCK;

/** The word of a number below `MOST_WORDS`: four capitals or digits. */
function wordOf(index: number): string {
  const rest = index % BLOCK;
  const last = `${DIGITS[Math.floor(rest / 1296)]}${DIGITS[Math.floor(rest / 36) % 36]}${DIGITS[rest % 36]}`;
  return `${LETTERS[Math.floor(index / BLOCK)]}${last}`;
}

/** The numbers of all words in a text, in order. */
export function wordsIn(text: string): number[] {
  return Array.from(text.matchAll(/(?<![\w-])[A-Z][0-9A-Z]{3}(?!\w)/g), ([word]) => indexOf(word));
}

function indexOf(word: string): number {
  return LETTERS.indexOf(word.charAt(0)) * BLOCK + Number.parseInt(word.slice(1), 36);
}

/** How many words are set aside for each answer of a nominal length. */
export function slotOf(tokens: number): number {
  return Math.ceil(tokens * 1.1);
}

/**
 * The length of answer `n`: the nominal one, give or take a tenth. Answers of one length would all end at the same point of
 * a subject's editing rhythm, for better or worse.
 */
export function lengthOf(n: number, tokens: number): number {
  return Math.round(tokens * (0.9 + 0.2 * ((n * 0.618_034 + 0.5) % 1)));
}

/** The text of a question, as a person writes it. */
export function questionText({ n, from, tokens, tokensPerSecond, firstTokenMs }: BenchQuestion): string {
  return `bench ${n} from ${from}: ${tokens} tokens at ${tokensPerSecond} a second after ${firstTokenMs} ms`;
}

const QUESTION = /bench (\d+) from (\d+): (\d+) tokens at (\d+) a second after (\d+) ms/g;

/** The last question in a text (a request carries earlier ones as history), or null. */
export function lastQuestionIn(text: string): BenchQuestion | null {
  const numbers = [...text.matchAll(QUESTION)].at(-1)?.slice(1).map(Number);
  if (numbers === undefined) return null;
  const [n = 0, from = 0, tokens = 0, tokensPerSecond = 0, firstTokenMs = 0] = numbers;
  return { n, from, tokens, tokensPerSecond, firstTokenMs };
}

/** How many pages an answer names as its sources. */
export const SOURCES = 8;
const PARAGRAPH = 40;

/** The text of token `i` of an answer: prose with citations, emphasis, lists and headings, about 5 characters a token. */
export function tokenText({ from, tokens }: BenchQuestion, i: number): string {
  const kind = Math.floor(i / PARAGRAPH) % 4;
  const at = i % PARAGRAPH;
  const isEnd = at === PARAGRAPH - 1 || i === tokens - 1;
  const isHeading = kind === 3 && at < 3 && i + 3 < tokens;
  const isBold = kind === 1 && at === 5;
  const isItem = kind === 2 && at % 10 === 0;
  const word = isBold ? `**${wordOf(from + i)}**` : wordOf(from + i);
  const before = (isItem && at > 0 ? '\n' : '') + (isItem ? '- ' : '') + (isHeading && at === 0 ? '## ' : '');
  const cited = at % 20 === 19 && !isHeading ? `[${(i % SOURCES) + 1}]` : '';
  const after = isEnd ? '.\n\n' : isHeading && at === 2 ? '\n\n' : ' ';
  return before + word + cited + after;
}
