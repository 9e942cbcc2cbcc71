import type { Source } from '../core/types.ts';
import { canonicalUrl, linkTarget } from './urls.ts';

/** A source that a reader can be taken to. */
export interface Linked {
  readonly number: number;
  readonly target: string;
}

/** The only way to a clickable link: what is not one of the answer's sources is not found here. */
export interface Links {
  /** False until the answer's sources have come. */
  readonly known: boolean;
  byNumber(number: number): Linked | null;
  byAddress(address: string): Linked | null;
}

/** Looks up sources by the number of their marker and by canonical URL; the first of two equal ones wins. */
export function createLinks(sources: readonly Source[]): Links {
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
    byNumber: (number) => numbers.get(number) ?? null,
    byAddress(address) {
      const canonical = addresses.size === 0 ? null : canonicalUrl(address);
      return canonical === null ? null : (addresses.get(canonical) ?? null);
    },
  };
}

/** What markers were met, in the order of their first use. */
export interface Citations {
  readonly met: Map<number, number>;
}

/** Counts uses of a marker. */
export function meet(citations: Citations, number: number, uses = 1): void {
  citations.met.set(number, (citations.met.get(number) ?? 0) + uses);
}
