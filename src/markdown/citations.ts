import type { Source } from '../core/types.ts';
import { canonicalUrl, linkTarget } from './urls.ts';

/**
 * The citation formats of models: `[1]`, `[1, 3-5]`, `[1 and 2]`, `[^1]`, `[web:0]`, `[citation:1]`, and with wide brackets `【1】`,
 * `【1†source】`. A marker is the reference in one: `1` is the source of that number; the first number of `web:n` is found in
 * `createLinks`.
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

/** A source with a link target. */
export interface Linked {
  readonly number: number;
  readonly target: string;
}

/** The first number of this answer's `[web:n]` markers; null while unknown. */
export interface Numbering {
  webFrom: 0 | 1 | null;
}

export type Links = ReturnType<typeof createLinks>;

/**
 * The only origin of clickable links: it finds nothing but the answer's sources, by marker and by canonical URL. The first of
 * two equal ones wins.
 */
export function createLinks(sources: readonly Source[], numbering: Numbering) {
  const numbers = new Map<number, Linked>();
  const addresses = new Map<string, Linked>();
  for (const { number, url } of sources) {
    const target = linkTarget(url);
    const canonical = canonicalUrl(url);
    if (target === null || canonical === null) continue;
    const linked = { number, target };
    if (!numbers.has(number)) numbers.set(number, linked);
    if (!addresses.has(canonical)) addresses.set(canonical, linked);
  }
  return {
    /** Whether the answer's sources have arrived. */
    known: sources.length > 0,
    /** Finds the source of `3` or `web:3`. A `web:0` shows that the answer counts from 0. */
    byMarker(marker: string): Linked | null {
      const web = webNumber(marker);
      if (web === 0) numbering.webFrom ??= 0;
      if (web === null) return numbers.get(Number(marker)) ?? null;
      // A link to the wrong source is worse than none.
      return numbering.webFrom === null ? null : (numbers.get(web + 1 - numbering.webFrom) ?? null);
    },
    byAddress(address: string): Linked | null {
      const canonical = addresses.size === 0 ? null : canonicalUrl(address);
      return canonical === null ? null : (addresses.get(canonical) ?? null);
    },
  };
}

/** For text without citations. */
export const noLinks: Links = createLinks([], { webFrom: null });

/**
 * Finds the first number of a complete answer's `[web:n]` markers. Models of the Agent API count from 0 or from 1: the start
 * that leaves fewer markers without a source wins, else 0.
 */
export function webStart(markers: Iterable<string>, sources: readonly Source[]): 0 | 1 {
  const numbers = new Set(sources.map(({ number }) => number));
  const used = [...markers].flatMap((marker) => webNumber(marker) ?? []);
  const missing = (from: 0 | 1): number => used.filter((number) => !numbers.has(number + 1 - from)).length;
  return used.includes(0) || missing(0) <= missing(1) ? 0 : 1;
}

function webNumber(marker: string): number | null {
  return marker.startsWith('web:') ? Number(marker.slice('web:'.length)) : null;
}

/** How much longer links may still make a message, in the platform's unit. Drawing reduces it. */
export interface LinkRoom {
  left: number;
  /** The share of it for sources that are already linked. */
  again: number;
  readonly linked: Set<number>;
}

export function createLinkRoom(left: number, again = left): LinkRoom {
  return { left, again, linked: new Set() };
}

/** Takes the room for a link of this cost; false when there is too little. */
export function takeLinkRoom(room: LinkRoom, number: number, cost: number): boolean {
  const isAgain = room.linked.has(number);
  if (cost > (isAgain ? Math.min(room.left, room.again) : room.left)) return false;
  room.left -= cost;
  if (isAgain) room.again -= cost;
  room.linked.add(number);
  return true;
}

/** How often each marker is used, in the order of first use. */
export type Citations = Map<string, number>;

export function countMarker(citations: Citations, marker: string, uses = 1): void {
  citations.set(marker, (citations.get(marker) ?? 0) + uses);
}
