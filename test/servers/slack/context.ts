/** What every method of the stand-in works on. */
import type { Args } from './arguments.ts';
import type { Deliveries } from './deliveries.ts';
import type { Files } from './files.ts';
import type { Payload } from './payloads.ts';
import { messagePayload } from './payloads.ts';
import type { Responses } from './responses.ts';
import type { Store } from './store.ts';
import type { StoredMessage } from './types.ts';

export interface Context {
  readonly store: Store;
  readonly deliveries: Deliveries;
  readonly responses: Responses;
  readonly files: Files;
  readonly streamMaxAgeMs: number;
  readonly random: () => number;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** The URL of a new socket. */
  readonly socketLink: () => string;
}

/** Answers with what stands beside `ok: true`. @throws {SlackError} */
export type Method = (args: Args, context: Context) => Payload;

/** A stored message in Slack's shape, with its thread's fields. */
export function showMessage({ store }: Context, message: StoredMessage): Payload {
  const { channel, ts, threadTs } = message;
  const root = threadTs === null ? undefined : store.find(channel, threadTs);
  return messagePayload(message, threadTs === null ? store.replies(channel, ts) : [], root);
}
