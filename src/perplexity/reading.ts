import type { Failure } from '../core/failures.ts';
import type { AnswerEvent } from '../core/types.ts';
import { asRecord } from '../core/untrusted.ts';
import { createAlikeEvents } from './alike-events.ts';
import { unreadableStream } from './errors.ts';
import { createGathered, type Gathered, type Interpreter } from './interpreter.ts';
import { createSseReader } from './sse.ts';
import { createThinkStripper } from './think.ts';

/** The way from the text of a stream to events for one answer. */
export interface Reading {
  /** Takes what one read brought. False when it held no whole event: only comments, or the beginning of one. */
  take(text: string): boolean;
  /** What came since the last call; text in one piece, however many events brought it. */
  emit(): readonly AnswerEvent[];
  /** What the stream reported or could not be read; null while all is well. */
  failure(): Failure | null;
  /** The events at the end of an answer that is complete. */
  conclude(): readonly AnswerEvent[];
  /** Nothing of interest will come any more. */
  isOver(): boolean;
  /** The stream has said that the answer is complete; usage may still come. */
  isFinished(): boolean;
  /** A person has been given some of the answer. */
  hasText(): boolean;
}

/** No answer is this large, in characters: a stream that goes on is broken. */
const LARGEST_STREAM = 64_000_000;

/** Prepares to read one answer. */
export function createReading(interpreter: Interpreter): Reading {
  const gathered = createGathered();
  const answer = createVisibleText(() => gathered.isThinking);
  const sse = createSseReader();
  let charsRead = 0;

  const takeEvent = createEventTaker(interpreter, gathered, answer);

  return {
    take(text) {
      try {
        charsRead += text.length;
        if (charsRead > LARGEST_STREAM) throw new RangeError('stream too long');
        const events = sse.push(text);
        for (const data of events) {
          if (!gathered.isOver && !gathered.failure) takeEvent(data);
        }
        return events.length > 0;
      } catch (error) {
        // Told by kind only: the parser's own message quotes the text.
        gathered.failure = unreadableStream(error, answer.isBegun());
        return true;
      }
    },
    emit: () => answer.takeAfter(gathered.events.splice(0)),
    conclude() {
      answer.end();
      const events = answer.takeAfter([]);
      if (gathered.usage) events.push({ type: 'usage', usage: gathered.usage });
      if (gathered.finish) events.push({ type: 'done', reason: gathered.finish });
      return events;
    },
    failure: () => gathered.failure,
    isOver: () => gathered.isOver,
    isFinished: () => gathered.finish !== null,
    hasText: answer.isBegun,
  };
}

/** Takes the events of one stream, each by its data. */
function createEventTaker(
  interpreter: Interpreter,
  gathered: Gathered,
  answer: VisibleText,
): (data: string) => void {
  const interpret = (data: string, into: Gathered): void => {
    const event = asRecord(JSON.parse(data));
    if (event !== null) interpreter.take(event, into, answer.isBegun());
  };
  const alike = createAlikeEvents((data) => {
    const alone = createGathered();
    interpret(data, alone);
    return isOnlyText(alone) ? alone.text : null;
  });
  return (data) => {
    const known = alike.textOf(data);
    if (known !== null) {
      answer.push(known);
      return;
    }
    if (data === '[DONE]') {
      gathered.isOver = gathered.finish !== null;
      return;
    }
    interpret(data, gathered);
    answer.push(gathered.text);
    if (gathered.text !== '') alike.learn(data, gathered.text);
    gathered.text = '';
  };
}

function isOnlyText({ events, isThinking, usage, finish, isOver, failure }: Gathered): boolean {
  return events.length === 0 && !isThinking && !usage && !finish && !isOver && !failure;
}

interface VisibleText {
  push(text: string): void;
  end(): void;
  /** Adds to the events what came since the last call: that thinking has begun (said once), and the new text. */
  takeAfter(events: AnswerEvent[]): AnswerEvent[];
  isBegun(): boolean;
}

/** The text without thoughts; `isThinking`: the stream has said so in other words. */
function createVisibleText(isThinking: () => boolean): VisibleText {
  const thoughts = createThinkStripper();
  let fresh = '';
  let isBegun = false;
  let saidThinking = false;
  const add = (text: string): void => {
    fresh += text;
    isBegun ||= text !== '';
  };
  return {
    push: (text) => add(text === '' ? '' : thoughts.push(text)),
    end: () => add(thoughts.end()),
    takeAfter(events) {
      if (!saidThinking && (thoughts.hasThought() || isThinking())) {
        saidThinking = true;
        events.unshift({ type: 'thinking' });
      }
      if (fresh !== '') events.push({ type: 'text', text: fresh });
      fresh = '';
      return events;
    },
    isBegun: () => isBegun,
  };
}
