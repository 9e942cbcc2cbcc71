/**
 * The citation formats of models: `[1]`, `[1, 2]`, `[^1]`, `[web:0]`, and with wide brackets `【1】`, `【1†source】`. A marker is
 * the reference in one: `1` is the source of that number; the first number of `web:n` is found in `citation-links.ts`.
 */

const ONE = String.raw`(?:web:|\^)?\d{1,3}`;
const SEVERAL = String.raw`${ONE}(?: {0,2}[,;] {0,2}${ONE}){0,15}`;
/** Some models add the place in the page behind the number. */
const PLACE = String.raw`(?:†[^】\]\n]{0,80})?`;
const WRITTEN = String.raw`\[${SEVERAL}${PLACE}\]|【${SEVERAL}${PLACE}】|［${SEVERAL}］`;

const AT = new RegExp(WRITTEN, 'y');
const EVERYWHERE = new RegExp(WRITTEN, 'g');
const WIDE_BEGUN = new RegExp(String.raw`^(?:【[\dweb:^,; ]{0,100}${PLACE}|［[\dweb:^,; ]{0,100})$`);

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
}

/** Splits text into words and citations. */
export function splitCitations(text: string): readonly Cited[] {
  const stretches: Cited[] = [];
  let last = 0;
  for (const found of text.matchAll(EVERYWHERE)) {
    const markers = found[0].replace(/†.*/, '').match(/(?:web:)?\d+/g) ?? [];
    // `[0, 1]` is an interval: plain numbers count from 1.
    const isCitation = markers.length === 1 || markers.every((marker) => !/^0+$/.test(marker));
    if (!isCitation) continue;
    if (found.index > last) stretches.push({ text: text.slice(last, found.index), markers: [] });
    stretches.push({ text: found[0], markers: markers.map(withoutZeros) });
    last = found.index + found[0].length;
  }
  if (last < text.length) stretches.push({ text: text.slice(last), markers: [] });
  return stretches;
}

/** The marker that a link's label consists of; null for any other label. */
export function markerOf(label: string): string | null {
  const found = /^\[?\^?((?:web:)?\d{1,3})\]?$/.exec(label)?.[1];
  return found === undefined ? null : withoutZeros(found);
}

function withoutZeros(marker: string): string {
  return marker.replace(/0+(?=\d)/, '');
}
