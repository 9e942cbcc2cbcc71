import type { ModelMessage, Person, Question, Turn } from '../types.ts';
import type { HistoryWindow } from './history.ts';

export interface Prompt {
  readonly messages: readonly ModelMessage[];
  /** How many earlier turns the model gets to see. */
  readonly turns: number;
  /** True when something that was said in the thread had to be left out. */
  readonly isTrimmed: boolean;
}

/**
 * What the model is told: the thread's beginning and its newest turns as far as `budgetChars` reaches, then the question,
 * which is there exactly once and last. Roles alternate, as the API demands: neighbours of the same role become one
 * message. Speakers are named once more than one human is involved.
 */
export function composePrompt(question: Question, history: HistoryWindow, budgetChars: number): Prompt {
  const asked: Turn = {
    role: 'user',
    author: question.asker,
    text: questionText(question),
    at: question.askedAt,
  };
  const { turns, isCut } = withinBudget(history, budgetChars - asked.text.length, budgetChars);
  const speakers = labels([...turns, asked]);
  const said = [...turns, asked].map((turn) => ({ role: turn.role, text: labelled(turn, speakers) }));
  return { messages: alternate(said), turns: turns.length, isTrimmed: isCut || history.omitted > 0 };
}

/** The question as the model reads it, with what it is about in front. */
export function questionText(question: Question): string {
  const parts: string[] = [];
  if (question.quote) {
    const lines = question.quote.text.split('\n').map((line) => `> ${line}`);
    parts.push(
      `About this message${question.quote.author ? ` by ${question.quote.author}` : ''}:`,
      lines.join('\n'),
      '',
    );
  }
  parts.push(question.text.trim() === '' && question.quote ? ASK_ABOUT : question.text);
  if (question.attachments.length > 0) {
    parts.push(
      '',
      `(Attached, but you cannot read it: ${question.attachments.map((file) => file.name).join(', ')})`,
    );
  }
  return parts.join('\n').trim();
}

/** What "Ask about this" asks: the person has only pointed at a message. */
const ASK_ABOUT = 'What should I know about this message? Explain it and check its claims.';

function withinBudget(
  history: HistoryWindow,
  leftChars: number,
  budgetChars: number,
): { turns: Turn[]; isCut: boolean } {
  // No single turn may crowd out all others: a report of 60,000 characters is shown by its beginning.
  const longest = Math.max(MIN_TURN_CHARS, Math.floor(budgetChars / 3));
  let isCut = false;
  const shorten = (turn: Turn): Turn => {
    if (turn.text.length <= longest) return turn;
    isCut = true;
    return { ...turn, text: `${turn.text.slice(0, longest)}\n[… shortened]` };
  };
  const pinned = (history.root.length > 0 ? history.root : history.newest.slice(0, 2)).map(shorten);
  const rest = history.root.length > 0 ? history.newest : history.newest.slice(2);
  let left = leftChars - sum(pinned);
  const kept: Turn[] = [];
  for (const turn of rest.toReversed()) {
    const short = shorten(turn);
    left -= short.text.length;
    if (left < 0) break;
    kept.unshift(short);
  }
  return { turns: [...pinned, ...kept], isCut: isCut || kept.length < rest.length };
}

const MIN_TURN_CHARS = 500;

function sum(turns: readonly Turn[]): number {
  return turns.reduce((total, turn) => total + turn.text.length, 0);
}

/** Names by person id; empty while only one human has spoken, so that a lone asker is not addressed by a label. */
function labels(turns: readonly Turn[]): ReadonlyMap<string, string> {
  const people = new Map<string, Person>();
  for (const turn of turns) {
    if (turn.role === 'user' && turn.author) people.set(turn.author.id, turn.author);
  }
  if (people.size < 2) return new Map();
  return new Map([...people.values()].map((person, i) => [person.id, labelOf(person, i + 1)]));
}

function labelOf(person: Person, number: number): string {
  // A display name is the person's own text: line breaks and colons would let it pose as another speaker.
  const name = person.name
    ?.replaceAll(/[\p{C}\p{Z}:]+/gu, ' ')
    .trim()
    .slice(0, 40);
  return name && name.length > 0 ? name : `Person ${number}`;
}

function labelled(turn: Turn, names: ReadonlyMap<string, string>): string {
  const name = turn.role === 'user' && turn.author ? names.get(turn.author.id) : undefined;
  return name ? `${name}: ${turn.text}` : turn.text;
}

function alternate(said: readonly ModelMessage[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const message of said) {
    const last = messages.at(-1);
    if (last?.role === message.role)
      messages[messages.length - 1] = { ...last, text: `${last.text}\n\n${message.text}` };
    else if (last || message.role === 'user') messages.push(message);
  }
  return messages;
}
