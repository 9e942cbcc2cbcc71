import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/call-limiter.ts';
import type { Reply, ReplyStart, Urgency } from '../../core/ports.ts';
import { isFinal, type MessageRef, type Question, type ThreadRef, type View } from '../../core/types.ts';
import { CODE } from './errors.ts';
import { findUnrecordedMessages } from './find-messages.ts';
import { messageRef } from './ids.ts';
import { createTyping, deleteMessage, editInArchived, nonceOf, postMessage } from './messages.ts';
import { createAnswerRenderer, type Part } from './render.ts';
import { type CallKind, ReplyCalls } from './reply-calls.ts';
import { type AnswerPlace, findAnswerPlace, type OutboundDeps } from './thread.ts';

/** A message of the answer and what it shows; null when that is not known (an earlier attempt wrote it). */
interface Shown {
  ref: MessageRef;
  part: Part | null;
}

/** Prepares one answer's messages; writes nothing yet. */
export function createReply(deps: OutboundDeps, question: Question, start: ReplyStart): Reply {
  return new DiscordReply(deps, question, start);
}

class DiscordReply implements Reply {
  readonly #deps: OutboundDeps;
  readonly #question: Question;
  readonly #start: ReplyStart;
  readonly #renderer = createAnswerRenderer();
  readonly #typing;
  readonly #shown: Shown[];
  readonly #calls;
  #opening: Promise<AnswerPlace> | null = null;
  #hasFailedToOpen = false;
  #hasLooked: boolean;
  #isClosed = false;
  /** How often a message had to be replaced: a new message needs a new nonce. */
  #replaced = 0;

  constructor(deps: OutboundDeps, question: Question, start: ReplyStart) {
    this.#deps = deps;
    this.#question = question;
    this.#start = start;
    this.#typing = createTyping(deps.rest);
    this.#shown = start.messages.map((ref) => ({ ref, part: null }));
    this.#calls = new ReplyCalls(deps.rest.limits, question.asker.id, () =>
      this.#shown.some(({ part }) => part?.words !== 0),
    );
    this.#hasLooked = start.attempt <= 1;
  }

  async open(): Promise<ThreadRef> {
    return (await this.#place()).thread;
  }

  async acquire(urgency: Urgency, signal: AbortSignal): Promise<void> {
    if (urgency === 'progress') return this.#calls.acquireNext(signal);
    this.#calls.beginEnd(signal);
  }

  async show(view: View): Promise<void> {
    const place = await this.#place();
    const parts = this.#renderer.render(view);
    if (parts.length === 0) return this.#typing.start(place.channel);
    this.#typing.stop();
    await this.#findUnrecorded(place);
    try {
      await (isFinal(view) ? this.#finish(place, parts) : this.#grow(place, parts));
    } finally {
      this.#calls.cancel();
    }
  }

  unresolved(): number {
    return this.#renderer.unresolved();
  }

  close(): Promise<void> {
    this.#typing.stop();
    this.#isClosed = true;
    this.#calls.cancel();
    this.#calls.release();
    return Promise.resolve();
  }

  /** A failed opening may be tried again; a successful one is remembered. */
  #place(): Promise<AnswerPlace> {
    this.#opening ??= this.#openPlace().catch((error: unknown) => {
      this.#opening = null;
      this.#hasFailedToOpen = true;
      throw error;
    });
    return this.#opening;
  }

  async #openPlace(): Promise<AnswerPlace> {
    const place = await findAnswerPlace(this.#deps, this.#question, this.#start.messages, {
      since: this.#calls.startedAt,
      mayExist: this.#start.attempt > 1 || this.#hasFailedToOpen,
    });
    if (!this.#isClosed) this.#calls.openChannel(place.channel);
    return place;
  }

  async #findUnrecorded(place: AnswerPlace): Promise<void> {
    if (this.#hasLooked) return;
    const known = this.#shown.map(({ ref }) => ref);
    const { rest, botId } = this.#deps;
    const { isTaken } = this.#start;
    const found = await findUnrecordedMessages(rest, botId, this.#question, place, { known, isTaken });
    this.#hasLooked = true;
    if (found.length === 0) return;
    this.#shown.push(...found.map((ref) => ({ ref, part: null })));
    await this.#record();
  }

  /** Writes new words. Links alone wait for the end. */
  async #grow(place: AnswerPlace, parts: readonly Part[]): Promise<void> {
    for (const [index, part] of parts.entries()) {
      if (!this.#lacksWords(index, part)) continue;
      this.#calls.takeNow(this.#kindFor(index), part);
      await this.#write(place, index, part);
    }
  }

  /** Missing words come first, in order. Then what can be read already gets its sources and links, when there is time for them. */
  async #finish(place: AnswerPlace, parts: readonly Part[]): Promise<void> {
    for (const [index, part] of parts.entries()) {
      if (!this.#lacksWords(index, part) || isExtra(index, part)) continue;
      await this.#bring(place, index, part, 'final');
    }
    this.#calls.release();
    await this.#deleteSurplus(parts.length);
    for (const [index, part] of [...parts.entries()].reverse()) {
      await this.#bring(place, index, part, 'later');
    }
  }

  #lacksWords(index: number, { words, isGrowing, content }: Part): boolean {
    const there = this.#shown[index]?.part;
    if (!there || there.words !== words || (there.isGrowing && !isGrowing)) return true;
    return isGrowing && words === 0 && there.content !== content;
  }

  async #bring(place: AnswerPlace, index: number, part: Part, priority: Priority): Promise<void> {
    const there = this.#shown[index]?.part;
    if (there && lookOf(there) === lookOf(part)) return;
    await this.#calls.take(this.#kindFor(index), priority);
    await this.#write(place, index, part);
  }

  #kindFor(index: number): CallKind {
    return this.#shown[index] ? 'edit' : 'post';
  }

  /** Posts or edits with a call that is acquired. */
  async #write(place: AnswerPlace, index: number, part: Part): Promise<void> {
    const shown = this.#shown[index];
    if (!shown) return this.#post(place, index, part);
    const { channel, message } = shown.ref;
    try {
      await editInArchived(this.#deps.rest, part, { channel, message, urgency: 'acquired' });
      shown.part = part;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.editedTooOften) throw error;
      await this.#replace(place, index, part);
    }
  }

  async #post(place: AnswerPlace, index: number, part: Part): Promise<void> {
    const { channel, replyTo } = place;
    const nonce = nonceOf(this.#question.id, channel, index, this.#replaced);
    const posted = await postMessage(this.#deps.rest, part, { channel, replyTo, nonce, urgency: 'acquired' });
    // An earlier try may have posted an earlier state under this nonce: what came back is what is there.
    const isAsRendered = posted.content.trim() === part.content.trim();
    this.#shown[index] = {
      ref: messageRef(this.#question.workspace, channel, posted.id),
      part: isAsRendered ? part : null,
    };
    await this.#record();
    if (!isAsRendered) await this.#bring(place, index, part, 'final');
  }

  /** Discord refuses more edits of a message older than an hour: the rest of the answer gets a new one. */
  async #replace(place: AnswerPlace, index: number, part: Part): Promise<void> {
    const old = this.#shown[index]?.ref;
    this.#replaced++;
    await this.#calls.take('post', 'final');
    await this.#post(place, index, part);
    if (old) await deleteMessage(this.#deps.rest, old.channel, old.message);
  }

  async #deleteSurplus(count: number): Promise<void> {
    for (const { ref } of this.#shown.slice(count))
      await deleteMessage(this.#deps.rest, ref.channel, ref.message);
    if (this.#shown.length <= count) return;
    this.#shown.length = count;
    await this.#record();
  }

  #record(): Promise<void> {
    return this.#start.posted(this.#shown.map(({ ref }) => ref));
  }
}

/** Sources and footer in a message of their own, under one that has the end of the text. */
function isExtra(index: number, { words }: Part): boolean {
  return index > 0 && words === 0;
}

function lookOf({ content, buttons }: Part): string {
  return JSON.stringify([content, buttons]);
}
