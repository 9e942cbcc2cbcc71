import type { Attachment, ModelMessage, Person, Question, Turn } from '../types.ts';
import type { HistoryWindow } from './history.ts';

export interface Prompt {
  readonly messages: readonly ModelMessage[];
  /** How many earlier turns are included. */
  readonly turns: number;
  /** Whether part of the thread was left out. */
  readonly isTrimmed: boolean;
}

/**
 * Composes the messages for the model: the thread's beginning and its newest turns, within `contextChars` characters, then
 * the question, exactly once and last. Roles alternate, as the API demands: neighbours of the same role are joined. Speakers
 * are named when more than one human has spoken.
 */
export function composePrompt(question: Question, history: HistoryWindow, contextChars: number): Prompt {
  const asked = questionTurn(question);
  const { turns, isCut } = selectTurns(history, contextChars - asked.text.length, contextChars);
  const speakers = nameSpeakers([...turns, asked]);
  const said = [...turns, asked].map((turn) => ({ role: turn.role, text: prefixName(turn, speakers) }));
  return { messages: alternate(said), turns: turns.length, isTrimmed: isCut || history.omitted > 0 };
}

/** The question as a turn of its thread. */
export function questionTurn(question: Question): Turn {
  return { role: 'user', author: question.asker, text: questionText(question), at: question.askedAt };
}

/** The question as the model reads it, with the quoted message in front. */
export function questionText(question: Question): string {
  const parts: string[] = [];
  for (const { author, text } of question.quotes) {
    const lines = text.split('\n').map((line) => `> ${line}`);
    parts.push(`About this message${author ? ` by ${author}` : ''}:`, lines.join('\n'), '');
  }
  parts.push(question.text.trim() === '' && question.quotes.length > 0 ? ASK_ABOUT : question.text);
  const attachments = attachmentsOf(question);
  if (attachments.length > 0) {
    parts.push('', `(Attached, but you cannot read it: ${attachments.map((file) => file.name).join(', ')})`);
  }
  return parts.join('\n').trim();
}

/** The files of the question and of the messages it is about. */
export function attachmentsOf({ attachments, quotes }: Question): readonly Attachment[] {
  return [...attachments, ...quotes.flatMap((quote) => quote.attachments)];
}

/** The question behind "Ask about this" without words of one's own. */
const ASK_ABOUT = 'What should I know about this message? Explain it and check its claims.';

function selectTurns(
  history: HistoryWindow,
  leftChars: number,
  contextChars: number,
): { turns: Turn[]; isCut: boolean } {
  // A single long turn, such as a report of 60,000 characters, must not displace all others.
  const longest = Math.max(MIN_TURN_CHARS, Math.floor(contextChars / 3));
  let isCut = false;
  const shorten = (turn: Turn): Turn => {
    if (turn.text.length <= longest) return turn;
    isCut = true;
    return { ...turn, text: `${turn.text.slice(0, longest)}\n[… shortened]` };
  };
  const pinned = (history.root.length > 0 ? history.root : history.newest.slice(0, 2)).map(shorten);
  const rest = history.root.length > 0 ? history.newest : history.newest.slice(2);
  let left = leftChars - countChars(pinned);
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

function countChars(turns: readonly Turn[]): number {
  return turns.reduce((total, turn) => total + turn.text.length, 0);
}

/** Names by person id; empty while only one human has spoken, because a lone asker needs no name. */
function nameSpeakers(turns: readonly Turn[]): ReadonlyMap<string, string> {
  const people = new Map<string, Person>();
  for (const turn of turns) {
    if (turn.role === 'user' && turn.author) people.set(turn.author.id, turn.author);
  }
  if (people.size < 2) return new Map();
  return new Map([...people.values()].map((person, i) => [person.id, labelOf(person, i + 1)]));
}

function labelOf(person: Person, number: number): string {
  // A person chooses their display name: line breaks and colons in it could imitate another speaker.
  const name = person.name
    ?.replaceAll(/[\p{C}\p{Z}:]+/gu, ' ')
    .trim()
    .slice(0, 40);
  return name && name.length > 0 ? name : `Person ${number}`;
}

function prefixName(turn: Turn, names: ReadonlyMap<string, string>): string {
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
