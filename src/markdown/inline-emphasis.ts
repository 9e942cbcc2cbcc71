import type { Span } from './inline-parse.ts';
import { shownAddress, splitAddresses } from './urls.ts';

const MARK = /[*~]/;

/** Whether code in it, or an address shown as code, contains a mark that would end the emphasis around it. */
export function hidesMarks(spans: readonly Span[]): boolean {
  const words = spans.map((span) => (span.type === 'text' ? span.text : '')).join('');
  if (MARK.test(words) && splitAddresses(words).some(({ isAddress }) => isAddress)) return true;
  return spans.some((span) => {
    if (span.type === 'code') return MARK.test(span.text);
    return span.type === 'link' && (MARK.test(shownAddress(span.href)) || hidesMarks(span.label));
  });
}

/** Removes each emphasis that would end too early. */
export function withoutEarlyEnds(spans: readonly Span[]): readonly Span[] {
  const dropped = new Set<Span>();
  for (const [index, span] of spans.entries()) {
    if (span.type !== 'open') continue;
    const close = spans.findIndex(
      (other, at) => at > index && other.type === 'close' && other.mark === span.mark,
    );
    const end = spans[close];
    if (end === undefined || !hidesMarks(spans.slice(index + 1, close))) continue;
    dropped.add(span).add(end);
  }
  return dropped.size === 0 ? spans : spans.filter((span) => !dropped.has(span));
}
