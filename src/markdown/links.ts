import type { Source } from '../core/types.ts';
import { canonicalUrl, linkTarget } from './urls.ts';

/** A source that a reader can be taken to. */
export interface Linked {
  readonly number: number;
  readonly target: string;
}

/** Where the answer counts `[web:n]` from; null until it has shown. */
export interface Numbering {
  webFrom: 0 | 1 | null;
}

/** The only way to a clickable link: what is not one of the answer's sources is not found here. */
export interface Links {
  /** False until the answer's sources have come. */
  readonly known: boolean;
  /** The source of `3` or `web:3`. A `web:0` decides from where the answer counts. */
  byMarker(marker: string): Linked | null;
  byAddress(address: string): Linked | null;
}

/** Looks up sources by marker and by canonical URL; the first of two equal ones wins. */
export function createLinks(sources: readonly Source[], numbering: Numbering = { webFrom: null }): Links {
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
    known: sources.length > 0,
    byMarker(marker) {
      const web = webNumber(marker);
      if (web === 0) numbering.webFrom ??= 0;
      if (web === null) return numbers.get(Number(marker)) ?? null;
      // A link that leads to the neighbour of the right source is worse than none.
      return numbering.webFrom === null ? null : (numbers.get(web + 1 - numbering.webFrom) ?? null);
    },
    byAddress(address) {
      const canonical = addresses.size === 0 ? null : canonicalUrl(address);
      return canonical === null ? null : (addresses.get(canonical) ?? null);
    },
  };
}

/**
 * From where a whole answer counts its `[web:n]`: the Agent API's models begin with 0, some with 1. Whichever leaves fewer of
 * them without a source; 0 when both do.
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

/** What markers were met, in the order of their first use. */
export interface Citations {
  readonly met: Map<string, number>;
}

/** Counts uses of a marker. */
export function meet(citations: Citations, marker: string, uses = 1): void {
  citations.met.set(marker, (citations.met.get(marker) ?? 0) + uses);
}
