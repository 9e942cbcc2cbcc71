import type { MessageRef, Question } from '../../core/types.ts';
import type { Place } from './place.ts';
import type { DiscordRest } from './rest.ts';
import { asObjects, compareIds, readMessage } from './wire.ts';

/**
 * Messages an interrupted attempt posted but did not live to record. The nonce covers a few minutes; beyond them our own
 * messages after the question are the answer's: questions of one thread are answered one after the other.
 * @returns in order; empty when nothing is found.
 * @throws {Failure}
 */
export async function findLeftovers(
  rest: DiscordRest,
  botId: string,
  question: Question,
  place: Place,
  known: readonly MessageRef[],
): Promise<readonly MessageRef[]> {
  const start = known.at(-1)?.message ?? question.message?.message ?? place.thread.thread;
  const query = { after: start, limit: '50' };
  const found = asObjects(await rest.get(`/channels/${place.channel}/messages`, { query }));
  return (
    found
      .map((raw) => readMessage(raw))
      .filter((message) => message !== null)
      .filter(
        ({ author, type, isInteraction }) =>
          author?.id === botId && !isInteraction && (type === 0 || type === 19),
      )
      // In a thread or DM the parts refer to nothing (a short word to somebody does); in a channel the first part refers to the
      // message it answers.
      .filter(({ replyTo }) =>
        place.replyTo === null ? replyTo === null : replyTo?.message === place.replyTo,
      )
      .sort((a, b) => compareIds(a.id, b.id))
      .map(({ id }) => ({
        platform: 'discord' as const,
        workspace: question.workspace,
        channel: place.channel,
        message: id,
      }))
  );
}
