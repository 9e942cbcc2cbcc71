import type { Report, UpstreamState } from '../core/research/ports.ts';
import { withoutThoughts } from './think.ts';

/** No report is longer, in characters; the same bound as for answers. */
const LONGEST_REPORT = 200_000;

/** The state of a job that is over and has left this; `text` as the API gave it, thoughts included. */
export function finished(report: Report): UpstreamState {
  const text = withoutThoughts(report.text).trim();
  if (text === '') return report.cut === undefined ? { state: 'empty' } : withheld(report.cut);
  if (text.length <= LONGEST_REPORT) return { state: 'done', report: { ...report, text } };
  return { state: 'done', report: { ...report, text: clipped(text), cut: 'length' } };
}

/** Stopped before anything was written: all it was allowed went into searching and thinking. */
function withheld(cut: 'length' | 'filtered'): UpstreamState {
  const remedy =
    cut === 'length' ? 'its limit on tokens left no room for a report' : 'Perplexity withheld the report';
  return { state: 'failed', remedy };
}

/** Never ends between the halves of one character. */
function clipped(text: string): string {
  const end = text.codePointAt(LONGEST_REPORT - 1) ?? 0;
  return text.slice(0, end > 0xff_ff ? LONGEST_REPORT - 1 : LONGEST_REPORT);
}
