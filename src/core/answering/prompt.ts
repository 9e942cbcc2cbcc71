import type { ModelMessage, Question, Turn } from '../types.ts';
import {
  askAboutTitle,
  FRAMING,
  frameFiles,
  frameTitle,
  frameTurn,
  labelSpeakers,
  needsFrame,
  type ShownTurn,
} from './frame.ts';
import type { HistoryWindow } from './history.ts';
import { type FilesRead, NO_FILES } from './read-files.ts';

export interface Prompt {
  readonly messages: readonly ModelMessage[];
  /** What the model has to know about their form, for the system prompt; null where they are plain. */
  readonly framing: string | null;
  /** How many earlier turns are included. */
  readonly turns: number;
  /** Whether part of the thread was left out. */
  readonly isTrimmed: boolean;
}

/**
 * Composes the messages for the model: the thread's beginning and its newest turns, within `contextChars` characters, then
 * the question, exactly once and last. Roles alternate, as the API demands: neighbours of the same role are joined. A lone
 * asker's words are given as they are; where there is more to tell, it is told who said what.
 */
export function composePrompt(
  question: Question,
  history: HistoryWindow,
  contextChars: number,
  files: FilesRead = NO_FILES,
): Prompt {
  const asked = questionTurn(question);
  const { turns, isCut } = selectTurns(history, contextChars - countChars([asked]), contextChars);
  const shown = [...turns, asked];
  const { title } = question;
  const isFramed = title !== null || needsFrame(shown);
  const said = isFramed ? frameAll(shown, title, files) : shown;
  return {
    messages: alternate([...said, ...giveFiles(files)]),
    framing: isFramed ? FRAMING : null,
    turns: turns.length,
    isTrimmed: isCut || history.omitted > 0,
  };
}

/** The system prompt for these messages. */
export function withFraming(systemPrompt: string, { framing }: Prompt): string {
  return framing === null ? systemPrompt : `${systemPrompt}\n\n${framing}`;
}

/** The question as a turn of its thread. */
export function questionTurn({ id, asker, text, quotes, attachments, askedAt }: Question): Turn {
  const beside = { ...(quotes.length > 0 && { quotes }), ...(attachments.length > 0 && { attachments }) };
  return { id, role: 'user', author: asker, text: text.trim(), ...beside, at: askedAt };
}

/** The question as people read it elsewhere: its words, else those it is about. */
export function questionText({ text, quotes, title }: Question): string {
  return text.trim() || quotes.find((quote) => quote.text.trim() !== '')?.text.trim() || title || '';
}

/** The files of a question as one more message of its asker. */
function giveFiles(read: FilesRead): readonly ModelMessage[] {
  const text = frameFiles(read);
  return text === '' ? [] : [{ role: 'user', text, ...(read.files.length > 0 && { files: read.files }) }];
}

function frameAll(
  turns: readonly ShownTurn[],
  title: string | null,
  { texts, files }: FilesRead,
): readonly ModelMessage[] {
  const read = new Set([...texts, ...files].map(({ name }) => name));
  const label = labelSpeakers(turns);
  const framed = turns.map((turn, index): ModelMessage => {
    if (turn.role === 'assistant') return turn;
    const isQuestion = index === turns.length - 1;
    const text = frameTurn(turn, label(turn.author), isQuestion, (name) => read.has(name));
    const isBareMention = text === '' && title !== null && isQuestion;
    return { role: 'user', text: isBareMention ? askAboutTitle(label(turn.author)) : text };
  });
  const titled = title === null ? [] : [{ role: 'user', text: frameTitle(title) } as const];
  return [...titled, ...framed].filter(({ text }) => text !== '');
}

function selectTurns(
  history: HistoryWindow,
  leftChars: number,
  contextChars: number,
): { turns: readonly ShownTurn[]; isCut: boolean } {
  // A single long turn, such as a report of 60,000 characters, must not displace all others.
  const longest = Math.max(MIN_TURN_CHARS, Math.floor(contextChars / 3));
  let isCut = false;
  const shorten = (turn: Turn): ShownTurn => {
    if (countChars([turn]) <= longest) return turn;
    isCut = true;
    return shortenTurn(turn, longest);
  };
  const pinned = (history.root.length > 0 ? history.root : history.newest.slice(0, 2)).map(shorten);
  const rest = history.root.length > 0 ? history.newest : history.newest.slice(2);
  let left = leftChars - countChars(pinned);
  const kept: ShownTurn[] = [];
  for (const turn of rest.toReversed()) {
    const short = shorten(turn);
    left -= countChars([short]);
    if (left < 0) break;
    kept.unshift(short);
  }
  return { turns: [...pinned, ...kept], isCut: isCut || kept.length < rest.length };
}

const MIN_TURN_CHARS = 500;

/** What somebody has written themselves goes before what they point at. */
function shortenTurn(turn: Turn, longest: number): ShownTurn {
  const cut = (text: string, chars: number): string => text.slice(0, Math.max(0, chars)).toWellFormed();
  const text = cut(turn.text, longest);
  const quotes = turn.quotes?.map((quote) => ({ ...quote, text: cut(quote.text, longest - text.length) }));
  if (turn.role === 'assistant') return { ...turn, text: `${text}\n[… shortened]` };
  return { ...turn, text, ...(quotes && { quotes }), isShortened: true };
}

function countChars(turns: readonly Turn[]): number {
  const parts = turns.flatMap(({ text, quotes = [] }) => [text, ...quotes.map((quote) => quote.text)]);
  return parts.reduce((total, text) => total + text.length, 0);
}

function alternate(said: readonly ModelMessage[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  for (const { role, text, files } of said) {
    const last = messages.at(-1);
    const given = files && { files };
    if (last?.role === role)
      messages[messages.length - 1] = { role, text: `${last.text}\n\n${text}`, ...given };
    else if (last || role === 'user') messages.push({ role, text, ...given });
  }
  return messages;
}
