import type { ServerResponse } from 'node:http';
import type { StreamFault } from './faults.ts';
import type { LateFault, Occasion } from './job-faults.ts';
import type { Jobs } from './jobs.ts';
import type { Pace } from './play.ts';
import type { Said } from './topics.ts';

/** One request as it came and what became of it; updated while the answer is under way. */
export interface RecordedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case; only those a test may ask for. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The other side's port: the same for requests over one connection. */
  readonly connection: number;
  /** The status that was sent; null while there is none. */
  status: number | null;
  /** The scripted answer in full, `<think>` included, whether or not it was sent to the end. */
  answer: string | null;
  /** `aborted`: the connection went away first, whoever closed it. */
  state: 'open' | 'complete' | 'aborted';
}

/** What the writers of both APIs get to work with. */
export interface Exchange {
  readonly response: ServerResponse;
  readonly body: unknown;
  readonly pace: Pace;
  readonly record: RecordedRequest;
  /** The stream fault this request is to meet; `handled` when the answer has been replaced already. */
  readonly chooseFault: (said: readonly Said[]) => StreamFault | null | 'handled';
  /** The same for a request about research jobs; what is answered too late to undo anything is returned. */
  readonly chooseJobFault: (occasion: Occasion, question: string) => LateFault | null | 'handled';
  readonly jobs: Jobs;
}

/** Four characters a token, roughly as upstream. */
export function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}
