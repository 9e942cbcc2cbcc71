/**
 * The ways models write citations: `[1]`, `[1, 2]`, `[^1]`, `[web:0]`, and in wide brackets `【1】`, `【1†source】`. A marker is
 * what one of them refers to: `1` is the source of that number, `web:0` a source counted from a beginning that the whole
 * answer tells (`links.ts`).
 */

const ONE = String.raw`(?:web:|\^)?\d{1,3}`;
const SEVERAL = String.raw`${ONE}(?: {0,2}[,;] {0,2}${ONE}){0,15}`;
/** What some models put behind the number: the place in the page. */
const PLACE = String.raw`(?:†[^】\]\n]{0,80})?`;
const WRITTEN = String.raw`\[${SEVERAL}${PLACE}\]|【${SEVERAL}${PLACE}】|［${SEVERAL}］`;

const BRACKET = /[[【［]/;
const AT = new RegExp(WRITTEN, 'y');
const EVERYWHERE = new RegExp(WRITTEN, 'g');
const WIDE_BEGUN = new RegExp(String.raw`^(?:【[\dweb:^,; ]{0,100}${PLACE}|［[\dweb:^,; ]{0,100})$`);

/** The longest beginning of a citation in wide brackets that is waited for. */
const LONGEST_WIDE = 200;

/** Where the citation that begins at `at` ends; null when none does. */
export function citationEnd(text: string, at: number): number | null {
  AT.lastIndex = at;
  return AT.test(text) ? AT.lastIndex : null;
}

/** Whether a citation in wide brackets could still come of what stands at `at`, the end of what is known. */
export function isWideBegun(text: string, at: number): boolean {
  return WIDE_BEGUN.test(text.slice(at, at + LONGEST_WIDE));
}

/** A stretch of text: words, or a citation with what it refers to. */
export interface Cited {
  readonly text: string;
  readonly markers: readonly string[];
}

/** Splits text into words, which have no markers, and citations. */
export function splitCitations(text: string): readonly Cited[] {
  if (!BRACKET.test(text)) return [{ text, markers: [] }];
  const stretches: Cited[] = [];
  let last = 0;
  EVERYWHERE.lastIndex = 0;
  for (let found = EVERYWHERE.exec(text); found !== null; found = EVERYWHERE.exec(text)) {
    const markers = found[0].replace(/†.*/, '').match(/(?:web:)?\d+/g) ?? [];
    // `[0, 1]` is an interval: nobody counts sources from nought without saying so.
    const isCitation = markers.length === 1 || markers.every((marker) => !/^0+$/.test(marker));
    if (!isCitation) continue;
    if (found.index > last) stretches.push({ text: text.slice(last, found.index), markers: [] });
    stretches.push({ text: found[0], markers: markers.map(withoutZeros) });
    last = found.index + found[0].length;
  }
  if (last < text.length) stretches.push({ text: text.slice(last), markers: [] });
  return stretches;
}

/** What the label of a link refers to, when it is a marker and nothing else. */
export function markerOf(label: string): string | null {
  const found = /^\[?\^?((?:web:)?\d{1,3})\]?$/.exec(label)?.[1];
  return found === undefined ? null : withoutZeros(found);
}

function withoutZeros(marker: string): string {
  return marker.replace(/0+(?=\d)/, '');
}
