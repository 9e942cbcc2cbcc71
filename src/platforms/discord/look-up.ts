import { Failure } from '../../core/failures.ts';
import type { Question } from '../../core/types.ts';
import type { DiscordRest } from './rest.ts';
import { asObjects, compareIds, idAtTime, readMessage, type WireMessage } from './wire.ts';

/** A message of ours that an earlier try may have posted; `unread`: the channel's history is closed to us, or too long. */
export type Found = WireMessage | 'nothing' | 'unread';

interface LookUp {
  readonly channel: string;
  readonly question: Question;
  readonly botId: string;
  /** A direct conversation may begin with what is looked for, and is always open to us. */
  readonly mayBeEmpty: boolean;
  readonly isIt: (message: WireMessage) => boolean;
}

const PAGE = 100;
/** Further back than so many messages nobody will scroll either. */
const MOST_PAGES = 5;
/** The times of questions made from a press are by our clock, ids by Discord's. */
const CLOCKS_MS = 5 * 60_000;

/**
 * Looks for a message of ours about a question, newest first, back to when it was asked. Nonces are forgotten after minutes;
 * what tells the message then is its author and what it carries.
 * @throws {Failure} `rate-limited`, `unreachable`, `gone`.
 */
export async function lookFor(rest: DiscordRest, wanted: LookUp): Promise<Found> {
  const { channel, question, botId, mayBeEmpty, isIt } = wanted;
  const oldest = idAtTime(question.askedAt - CLOCKS_MS);
  let before: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const messages = await read(rest, channel, before);
    // Without the permission to read the history Discord answers with an empty list.
    if (messages === null || (messages.length === 0 && page === 0 && !mayBeEmpty)) return 'unread';
    const found = messages.find((message) => message.author?.id === botId && isIt(message));
    if (found) return found;
    const last = messages.at(-1);
    if (!last || messages.length < PAGE || compareIds(last.id, oldest) < 0) return 'nothing';
    before = last.id;
  }
  return 'unread';
}

/** Newest first; null when the channel is closed to us. */
async function read(
  rest: DiscordRest,
  channel: string,
  before: string | null,
): Promise<readonly WireMessage[] | null> {
  const query = { limit: String(PAGE), ...(before && { before }) };
  try {
    return asObjects(await rest.get(`/channels/${channel}/messages`, { query, urgency: 'final' }))
      .map((raw) => readMessage(raw))
      .filter((message) => message !== null)
      .sort((a, b) => compareIds(b.id, a.id));
  } catch (error) {
    if (error instanceof Failure && error.kind === 'undeliverable') return null;
    throw error;
  }
}
