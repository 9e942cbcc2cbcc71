import type { Source } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText } from '../core/untrusted.ts';

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

/** The sources of an Agent run, which arrive in several lists that overlap. */
export interface AgentSources {
  /** Takes one list of results; their `id` is what `[n]` refers to. True when there was something new. */
  add(results: unknown): boolean;
  all(): readonly Source[];
}

export function createAgentSources(): AgentSources {
  const byNumber = new Map<number, Source>();
  const urls = new Set<string>();

  const add = (result: unknown): boolean => {
    const id = asNumber(asRecord(result)?.['id']);
    const source = parseSource(result, id ?? Math.max(0, ...byNumber.keys()) + 1);
    // Without an id, a page that is known already is the same one announced again.
    if (source === null || byNumber.has(source.number) || (id === null && urls.has(source.url))) return false;
    byNumber.set(source.number, source);
    urls.add(source.url);
    return true;
  };

  return {
    add: (results) => asArray(results).map(add).includes(true),
    all: () => [...byNumber.values()].sort((a, b) => a.number - b.number),
  };
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
