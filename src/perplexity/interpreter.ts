import type { Failure } from '../core/failures.ts';
import type { AnswerEvent, Usage } from '../core/types.ts';
import type { JsonObject } from '../core/untrusted.ts';

/** What one read from the stream brought, filled by an interpreter and emptied by the reader. */
export interface Gathered {
  /** New text, thoughts included. */
  text: string;
  /** Searches and sources, in order. */
  events: AnswerEvent[];
  isThinking: boolean;
  /** The latest that was said; replaces earlier ones. */
  usage: Usage | null;
  /** Set once the stream has said that the answer is over. */
  finish: 'complete' | 'length' | 'filtered' | null;
  /** Nothing more of interest will come. */
  isOver: boolean;
  failure: Failure | null;
}

/** Understands the events of one API. One interpreter reads one answer. */
export interface Interpreter {
  /** Takes one event. `hasText`: some text has already been shown. Never throws, whatever the event holds. */
  take(event: JsonObject, gathered: Gathered, hasText: boolean): void;
}

export function createGathered(): Gathered {
  return {
    text: '',
    events: [],
    isThinking: false,
    usage: null,
    finish: null,
    isOver: false,
    failure: null,
  };
}
