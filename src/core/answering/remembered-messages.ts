import type { KeyValue } from '../ports.ts';
import { type ThreadRef, type Turn, threadKey } from '../types.ts';

/** One exchange of a thread. */
interface Place {
  readonly thread: ThreadRef;
  readonly number: number;
}

/**
 * Creates the list of which message is remembered in which exchange, so that nothing is remembered twice, and all of it can be
 * forgotten. `entry` gives the key of an exchange. A message is entered and forgotten by the one writer of its thread.
 */
export function createRememberedMessages(
  store: KeyValue,
  ttlMs: number,
  entry: (thread: ThreadRef, number: number) => string,
) {
  const placesOf = async (id: string): Promise<readonly Place[]> =>
    (await store.get<readonly Place[]>(keyOf(id))) ?? [];
  const forgetIn = async ({ thread, number }: Place, id: string): Promise<void> => {
    const key = entry(thread, number);
    const turns = (await store.get<readonly Turn[]>(key)) ?? [];
    await store.set(key, withoutMessage(turns, id), ttlMs);
  };
  return {
    /** The entries to write together with an exchange. What its thread remembers of these messages already is taken out. */
    async enter(
      place: Place,
      turns: readonly Turn[],
    ): Promise<readonly (readonly [key: string, value: unknown])[]> {
      const entries: (readonly [string, unknown])[] = [];
      for (const id of new Set(turns.flatMap(({ id }) => (id === undefined ? [] : [id])))) {
        const known = await placesOf(id);
        const here = known.filter(isIn(place.thread));
        // The question of a report has been read meanwhile as something that was said.
        for (const earlier of here) await forgetIn(earlier, id);
        entries.push([keyOf(id), [...known.filter((one) => !here.includes(one)), place]]);
      }
      return entries;
    },
    /** Those of some turns that this thread does not remember yet. */
    async unknown(thread: ThreadRef, turns: readonly Turn[]): Promise<readonly Turn[]> {
      const found = await store.getMany<readonly Place[]>(turns.map(({ id = '-' }) => keyOf(id)));
      return turns.filter((_, n) => !found[n]?.some(isIn(thread)));
    },
    /** The threads that remember the message of this id. */
    async find(id: string): Promise<readonly ThreadRef[]> {
      return (await placesOf(id)).map(({ thread }) => thread);
    },
    /** Takes a message out of the threads that remember it, and the answer to it. */
    async forget(id: string): Promise<void> {
      for (const place of await placesOf(id)) await forgetIn(place, id);
      await store.delete(keyOf(id));
    },
  };
}

function keyOf(id: string): string {
  return `said ${id}`;
}

function isIn(thread: ThreadRef): (place: Place) => boolean {
  const key = threadKey(thread);
  return (place) => threadKey(place.thread) === key;
}

function withoutMessage(turns: readonly Turn[], id: string): readonly Turn[] {
  const at = turns.findIndex((turn) => turn.id === id);
  if (at < 0) return turns;
  // The answer is the last of an exchange, behind its question.
  const isAsked = at === turns.length - 2 && turns.at(-1)?.role === 'assistant';
  return turns.toSpliced(at, isAsked ? 2 : 1);
}
