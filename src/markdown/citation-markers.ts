/**
 * The citation formats of models: `[1]`, `[1, 3-5]`, `[1 and 2]`, `[^1]`, `[web:0]`, `[citation:1]`, and with wide brackets `【1】`,
 * `【1†source】`. A marker is the reference in one: `1` is the source of that number; the first number of `web:n` is found in
 * `citation-links.ts`.
 */

const NUMBER = String.raw`(?:(?:web|citation|source):|\^)?\d{1,3}`;
/** A source, or a range of them. */
const ONE = String.raw`${NUMBER}(?: ?[-–—] ?${NUMBER})?`;
const SEVERAL = String.raw`${ONE}(?:(?: {0,2}[,;] {0,2}(?:and |& )?| (?:and|&) )${ONE}){0,15}`;
/** Some models add the place in the page behind the number. */
const PLACE = String.raw`(?:†[^】\]\n]{0,80})?`;
const WRITTEN = String.raw`\[${SEVERAL}${PLACE}\]|【${SEVERAL}${PLACE}】|［${SEVERAL}］`;

const AT = new RegExp(WRITTEN, 'y');
const EVERYWHERE = new RegExp(WRITTEN, 'g');
const WIDE_BEGUN = new RegExp(
  String.raw`^(?:【[\dwebcitaonsurd:^,;& –—-]{0,100}${PLACE}|［[\dwebcitaonsurd:^,;& –—-]{0,100})$`,
);

/** How long an unfinished citation in wide brackets is held back. */
const LONGEST_WIDE = 200;

/** Finds the end of the citation that begins at `at`; null when none begins there. */
export function citationEnd(text: string, at: number): number | null {
  AT.lastIndex = at;
  return AT.test(text) ? AT.lastIndex : null;
}

/** Whether the text from `at` to its end could still become a citation in wide brackets. */
export function isWideBegun(text: string, at: number): boolean {
  return WIDE_BEGUN.test(text.slice(at, at + LONGEST_WIDE));
}

/** A stretch of text: words without markers, or a citation with its markers. */
export interface Cited {
  readonly text: string;
  readonly markers: readonly string[];
  /** Whether it has a range, which is one only if each of its numbers has a source. */
  readonly isRange: boolean;
}

/** Splits text into words and citations. */
export function splitCitations(text: string): readonly Cited[] {
  const stretches: Cited[] = [];
  let last = 0;
  const takeWords = (end: number): void => {
    if (end > last) stretches.push({ text: text.slice(last, end), markers: [], isRange: false });
    last = end;
  };
  for (const { index, 0: found } of text.matchAll(EVERYWHERE)) {
    const ranges = found.replace(/†.*/, '').match(/(?:web:)?\d+(?: ?[-–—] ?[a-z:^]*\d+)?/g) ?? [];
    const markers = ranges.flatMap(expandRange);
    // `[0, 1]` is an interval: plain numbers count from 1.
    const isCitation = markers.every(
      (marker) => marker !== '' && (markers.length === 1 || !/^0+$/.test(marker)),
    );
    if (!isCitation) continue;
    takeWords(index);
    stretches.push({ text: found, markers, isRange: markers.length > ranges.length });
    last = index + found.length;
  }
  takeWords(text.length);
  return stretches;
}

/** The longest range of sources; others are numbers. */
const LONGEST_RANGE = 20;

/** The markers of `3`, `web:3` or `3-5`. A range that nobody would cite has one that is none. */
function expandRange(range: string): readonly string[] {
  const [from = '', to] = range.split(/ ?[-–—] ?/);
  if (to === undefined) return [withoutZeros(from)];
  const prefix = from.startsWith('web:') ? 'web:' : '';
  const [first, last] = [from, to].map((each) => Number(each.replace(/\D+/, '')));
  if (first === undefined || last === undefined || last <= first || last - first >= LONGEST_RANGE)
    return [''];
  return Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}`);
}

/** The marker that a link's label consists of; null for any other label. */
export function markerOf(label: string): string | null {
  const found = /^\[?(?:\^|citation:|source:)?((?:web:)?\d{1,3})\]?$/.exec(label)?.[1];
  return found === undefined ? null : withoutZeros(found);
}

function withoutZeros(marker: string): string {
  return marker.replace(/0+(?=\d)/, '');
}
