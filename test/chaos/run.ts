import { areEnded, type Place, type Post, type Side } from '../support/sides.ts';

/** What a check gets to work with. */
export interface ChaosRun {
  readonly random: () => number;
  readonly isShort: boolean;
  /** A Postgres server to make a database of one's own on; null for none. */
  readonly databaseUrl: string | null;
}

/** What a check found. */
export interface Outcome {
  readonly check: string;
  readonly figures: string;
  /** Every violated promise; empty when all held. */
  readonly faults: readonly string[];
}

/** A question asked, and the message its answer was first seen in. */
export interface Asked {
  readonly side: Side;
  readonly place: Place;
  readonly text: string;
  first: string | null;
}

/** Notes the first message of every answer as it appears, so that "in its original message" can be checked at the end. */
export function watch(side: Side, asked: readonly Asked[]): () => void {
  return side.onChange(() => {
    for (const one of asked) {
      if (one.side === side) one.first ??= side.posts(one.place)[0]?.id ?? null;
    }
  });
}

/** What is wrong with how a question ended: exactly one complete or explained answer, in its original message. */
export function faultsOf({ side, place, text, first }: Asked): string[] {
  const posts = side.posts(place);
  const where = `${side.name} "${text}"`;
  if (posts.length === 0) return [`${where}: no answer`];
  const faults: string[] = [];
  if (!areEnded(posts, 1)) faults.push(`${where}: hangs at ${JSON.stringify(posts.at(-1)?.text.slice(-80))}`);
  if (posts[0]?.id !== first) faults.push(`${where}: not in its original message`);
  if (namings(posts, text) > 1) faults.push(`${where}: answered ${namings(posts, text)} times`);
  return faults;
}

/** How often the answer begins: the stand-in's answers name their question once. */
function namings(posts: readonly Post[], text: string): number {
  return (
    posts
      .map((post) => post.text)
      .join('\n')
      .split(text).length - 1
  );
}
