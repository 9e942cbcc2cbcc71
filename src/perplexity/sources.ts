import type { Source } from '../core/types.ts';
import { asArray, asNumber, asRecord, asRecords, asText } from '../core/untrusted.ts';

/**
 * The sources of a chat completion: `[n]` refers to the n-th of `citations`, and `search_results` knows their titles; where
 * there are no citations the results themselves are counted.
 */
export function parseChatSources(
  citations: readonly unknown[],
  results: readonly unknown[],
): readonly Source[] {
  const byUrl = new Map(results.map((result) => [asRecord(result)?.['url'], result]));
  const pages = citations.length > 0 ? citations.map((url) => byUrl.get(url) ?? { url }) : results;
  return pages.flatMap((page, index) => parseSource(page, index + 1) ?? []);
}

/** Sources that arrive in several lists that overlap. */
export interface SourceList {
  /** Takes one list of pages; where they have an `id`, `[n]` refers to it. True when there was something new. */
  add(pages: unknown): boolean;
  /** In the order of their numbers. A page without an `id` is numbered behind those before it. */
  all(): readonly Source[];
}

export function createSourceList(): SourceList {
  const byNumber = new Map<number, Source>();
  /** The numbers that are not the API's own: a page with this `id` takes the place. */
  const provisional = new Set<number>();

  const append = (source: Source): void => {
    const number = Math.max(0, ...byNumber.keys()) + 1;
    byNumber.set(number, { ...source, number });
    provisional.add(number);
  };
  const add = (page: unknown): boolean => {
    const id = asNumber(asRecord(page)?.['id']);
    const source = parseSource(page, id ?? 0);
    if (source === null) return false;
    const known = [...byNumber.values()].find(({ url }) => url === source.url);
    if (id === null) {
      // A page that is known already is the same one announced again.
      if (!known) append(source);
      return !known;
    }
    const before = byNumber.get(id);
    if (before && !provisional.delete(id)) return false;
    if (known && provisional.delete(known.number)) byNumber.delete(known.number);
    byNumber.set(id, source);
    if (before && before.url !== source.url) append(before);
    return before?.url !== source.url;
  };

  return {
    add: (pages) => asArray(pages).map(add).includes(true),
    all: () => [...byNumber.values()].sort((a, b) => a.number - b.number),
  };
}

/** The sources of a message that has nothing but annotations. */
export function parseAnnotations(annotations: unknown): readonly Source[] {
  const sources = createSourceList();
  sources.add(parseUrlCitations(annotations));
  return sources.all();
}

/** The pages that a message is annotated with, as gateways and the Responses API name them (`url_citation`). */
export function parseUrlCitations(annotations: unknown): readonly unknown[] {
  return asRecords(annotations)
    .filter(({ type }) => type === 'url_citation')
    .map((annotation) => {
      const page = asRecord(annotation['url_citation']) ?? annotation;
      return { url: page['url'], title: page['title'], snippet: page['content'] };
    });
}

/**
 * One search result of either API as a source, or null when it is not a page on the web (`javascript:`, uploaded files);
 * such a page is left out and its number stays free.
 */
function parseSource(result: unknown, position: number): Source | null {
  const page = asRecord(result);
  const url = asText(page?.['url']);
  const host = url === null ? null : parseWebHost(url);
  if (page === null || url === null || host === null) return null;
  return {
    number: position,
    url,
    title: asText(page['title']) ?? host,
    date: asText(page['date']) ?? asText(page['last_updated']),
    snippet: asText(page['snippet']),
  };
}

/** The host without `www.`, or null when the address is not an http one. */
function parseWebHost(url: string): string | null {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  return new URL(url).hostname.replace(/^www\./, '');
}
