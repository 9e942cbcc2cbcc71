import { sleep } from '../concurrency.ts';
import type { Platform } from '../ports.ts';
import type { Question, Turn } from '../types.ts';
import { composePrompt, type Prompt, questionTurn } from './prompt.ts';
import type { FilesRead } from './read-files.ts';
import type { Recalled } from './recall.ts';

/** The names of those who came without one, each asked for once. */
export interface Names {
  /** Fills in the names that are there within so many milliseconds; with 0 those that the platform knows at once. */
  complete(turns: readonly Turn[], waitMs: number): Promise<readonly Turn[]>;
}

/** Names that come later than this after an answer stay unknown until somebody speaks again. */
export const NAMES_PATIENCE_MS = 2_000;

/** Creates the names for one answer. The platform looks them up beside the model request. */
export function createNames(platform: Platform, workspace: string): Names {
  const found = new Map<string, string>();
  const asked = new Map<string, Promise<unknown>>();
  const ask = (person: string): void => {
    if (asked.has(person)) return;
    const asking = platform.nameOf(workspace, person).then((name) => name && found.set(person, name));
    asked.set(person, asking);
  };
  return {
    async complete(turns, waitMs) {
      const nameless = turns.flatMap(({ author }) => (author?.name === null ? [author.id] : []));
      if (nameless.length === 0) return turns;
      nameless.forEach(ask);
      const settled = new AbortController();
      await Promise.race([Promise.all(asked.values()), sleep(waitMs, settled.signal)]);
      settled.abort();
      return turns.map((turn) => withName(turn, found));
    },
  };
}

function withName(turn: Turn, names: ReadonlyMap<string, string>): Turn {
  const { author } = turn;
  const name = author?.name === null ? names.get(author.id) : undefined;
  return author && name ? { ...turn, author: { ...author, name } } : turn;
}

/** Composes the prompt with the names that are known. Nobody is waited for: the others are remembered with the exchange. */
export async function composeWithNames(
  names: Names,
  question: Question,
  { history, said }: Recalled,
  contextChars: number,
  files?: FilesRead,
): Promise<Prompt> {
  const [root, newest, [asked]] = await Promise.all([
    names.complete(history.root, 0),
    names.complete([...history.newest, ...said.turns], 0),
    names.complete([questionTurn(question)], 0),
  ]);
  const named = { ...question, asker: asked?.author ?? question.asker };
  return composePrompt(named, { ...history, root, newest }, contextChars, files);
}
