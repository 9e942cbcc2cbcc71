/**
 * What can go wrong with research jobs, by name; chosen by `server.fault(name, times, 'submit')` or by a word in the
 * question, as for answers.
 *
 * Handing in (`submit`), before a job is made: everything that takes an answer's place (`400` … `silence-headers`).
 * Handing in, after the job has been made:
 *   lost           the connection is reset      lost-502, lost-html, …   that answer in place of the job's description
 *   slow           answered after a while
 *   cut            half of the description, then a reset     malformed   half of it, in order     silence   half, no more
 * Looking (`look`, as a word `look-404x3`), listing (`list`) and cancelling (`cancel`, `cancel-500`): everything that takes
 * an answer's place, and `slow`, `cut`, `malformed`, `silence`.
 * The course of a job, by word or by `server.research.spoilNext(name)`:
 *   job-failed     fails with a message         job-stuck    is never over
 *   job-null       is said to be complete, without a report: for ever, or `job-nullx2` for two looks
 *   job-odd        the same with a report of wrong types
 *   job-flapping   goes back and forth for six looks, one of them with an unknown status
 *   job-expired    is forgotten as soon as it is over        job-cancelled   is cancelled by somebody else
 *   job-incomplete, job-incomplete-empty   stops at its limit on tokens, with and without text
 */
import type { ServerResponse } from 'node:http';
import { type AnswerFault, faultWords, isAnswerFault, sendFault } from './faults.ts';

export const COURSE_FAULTS = [
  'job-failed',
  'job-stuck',
  'job-null',
  'job-odd',
  'job-flapping',
  'job-expired',
  'job-cancelled',
  'job-incomplete',
  'job-incomplete-empty',
] as const;

export type CourseFault = (typeof COURSE_FAULTS)[number];

/** What goes wrong on the way back, once the work is done. */
export type LateFault = 'lost' | `lost-${AnswerFault}` | 'slow' | 'cut' | 'malformed' | 'silence';

/** What a request about jobs is for; `answer` is every other request. */
export type Occasion = 'answer' | 'submit' | 'look' | 'list' | 'cancel';

export function courseIn(question: string): { fault: CourseFault; times: number | undefined } | null {
  for (const { name, times } of faultWords(question)) {
    const fault = COURSE_FAULTS.find((known) => known === name);
    if (fault) return { fault, times };
  }
  return null;
}

export function isLateFault(name: string): name is LateFault {
  if (name === 'lost' || name === 'slow' || name === 'cut' || name === 'malformed') return true;
  return name === 'silence' || (name.startsWith('lost-') && isAnswerFault(name.slice('lost-'.length)));
}

/** The name of the fault that a word asks for on this occasion: `look-404` is `404` when a job is looked at. */
export function faultOn(occasion: Occasion, word: string): AnswerFault | LateFault | null {
  const prefix = `${occasion}-`;
  if (occasion !== 'submit' && !word.startsWith(prefix)) return null;
  const name = occasion === 'submit' ? word : word.slice(prefix.length);
  return isAnswerFault(name) || isLateFault(name) ? name : null;
}

const SLOW_MS = 3_000;

/** Answers with a JSON document, or what becomes of it on the way. */
export async function sendLate(
  response: ServerResponse,
  body: object,
  fault: LateFault | null,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (fault?.startsWith('lost')) {
    // What follows `lost-` was checked to be one of them.
    sendFault(fault === 'lost' ? 'reset' : (fault.slice('lost-'.length) as AnswerFault), response);
    return;
  }
  if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS).unref());
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  if (fault === null || fault === 'slow') {
    response.end(text);
    return;
  }
  const half = text.slice(0, Math.ceil(text.length / 2));
  if (fault === 'malformed') response.end(half);
  else response.write(half);
  // A reset throws away what the other side has not read yet, so it comes a moment later.
  if (fault === 'cut') setTimeout(() => response.socket?.resetAndDestroy(), 30);
}
