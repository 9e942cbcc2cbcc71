import type { ReplyStart } from '../../core/ports.ts';
import type { MessageRef, Question } from '../../core/types.ts';
import { questionsOn } from './messages.ts';
import type { Place } from './place.ts';
import type { DiscordRest } from './rest.ts';
import { rootContent } from './root.ts';
import { asObjects, compareIds, idAtTime, type Json, readMessage, type WireMessage } from './wire.ts';

/**
 * Messages an interrupted attempt posted but did not live to record. The nonce covers a few minutes; beyond them our own
 * messages after the question that are part of no answer are this one's: questions of one thread are answered one after
 * the other. An earlier answer may well have ended below the question that waited for it, so the records decide.
 * @returns in order; empty when nothing is found.
 * @throws {Failure}
 */
export async function findLeftovers(
  rest: DiscordRest,
  botId: string,
  question: Question,
  place: Place,
  { known, isTaken }: { known: readonly MessageRef[]; isTaken: ReplyStart['isTaken'] },
): Promise<readonly MessageRef[]> {
  const query = { after: startOf(question, place, known), limit: '50' };
  const found = asObjects(await rest.get(`/channels/${place.channel}/messages`, { query, urgency: 'final' }));
  const free: MessageRef[] = [];
  for (const ref of candidates(found, botId, question, place)) {
    if (!(await isTaken(ref))) free.push(ref);
  }
  return free;
}

/** The time of a question made from a press is by our clock, ids are by Discord's. */
const CLOCKS_MS = 60_000;

/** Nothing older can be this answer's. A command or button is an event of its own, later than any message it is about. */
function startOf(question: Question, place: Place, known: readonly MessageRef[]): string {
  const asked = idAtTime(question.askedAt - CLOCKS_MS);
  const after = [known.at(-1)?.message, question.message?.message, question.delivery['interaction'], asked];
  return after.reduce<string>(
    (newest, id) => (id && compareIds(id, newest) > 0 ? id : newest),
    place.thread.thread,
  );
}

function candidates(
  found: readonly Json[],
  botId: string,
  question: Question,
  place: Place,
): readonly MessageRef[] {
  return (
    found
      .map((raw) => readMessage(raw))
      .filter((message) => message !== null)
      .filter(
        ({ author, type, interaction }) =>
          author?.id === botId && interaction === null && (type === 0 || type === 19),
      )
      // Cards and notifications of research jobs, and what other questions are getting meanwhile, say whose they are.
      .filter((message) => isFree(message, question))
      // In a thread or DM the parts refer to nothing (a short word to somebody does); in a channel to the message they answer.
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

function isFree(message: WireMessage, question: Question): boolean {
  const carried = questionsOn(message);
  // An answer mentions nobody; a notification begins with whom it is for.
  const isOthers = message.content.startsWith('<@') || (carried.length > 0 && !carried.includes(question.id));
  return !isOthers && message.content !== rootContent(question);
}
