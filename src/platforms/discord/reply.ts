import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/call-limiter.ts';
import type { Reply, ReplyStart } from '../../core/ports.ts';
import { isFinal, type MessageRef, type Question, type ThreadRef, type View } from '../../core/types.ts';
import { CODE } from './errors.ts';
import { findUnrecordedMessages } from './find-messages.ts';
import { messageRef } from './ids.ts';
import { type Call, editIn, postIn } from './limits.ts';
import { createTyping, deleteMessage, editInArchived, nonceOf, postMessage } from './messages.ts';
import { createAnswerRenderer, type Part } from './render.ts';
import { type AnswerPlace, findAnswerPlace, type OutboundDeps } from './thread.ts';

/** A message of the answer and what it shows; null when that is not known (an earlier attempt wrote it). */
interface Shown {
  ref: MessageRef;
  part: Part | null;
}

/** How a write waits for its call; see `CallLimiter.acquire`. */
interface Waiting {
  readonly priority: Priority;
  readonly since: number;
  readonly signal: AbortSignal;
  /** Gives up after so many milliseconds; never when left out. */
  readonly withinMs?: number | undefined;
}

/** Progress looks so often whether what waits to be written has become more urgent. */
const PROGRESS_MS = 250;

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
  readonly #startedAt = performance.now();
  /** Since when the next words wait for a call; null when none do. */
  #waitingSince: number | null = null;
  /** When the final view was there to be shown. */
  #endedAt: number | null = null;
  /** The channel in which an edit is reserved for the end; null for none. */
  #reservedIn: string | null = null;
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
    this.#hasLooked = start.attempt <= 1;
  }

  async open(): Promise<ThreadRef> {
    return (await this.#place()).thread;
  }

  async show(latest: () => View | null, signal: AbortSignal): Promise<void> {
    const place = await this.#place();
    const view = latest();
    if (!view) return;
    const parts = this.#renderer.render(view);
    if (parts.length === 0) return this.#typing.start(place.channel);
    this.#typing.stop();
    await this.#findUnrecorded(place);
    await (isFinal(view) ? this.#finish(place, parts, signal) : this.#grow(place, latest, signal));
  }

  unresolved(): number {
    return this.#renderer.unresolved();
  }

  close(): Promise<void> {
    this.#typing.stop();
    this.#isClosed = true;
    this.#release();
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
      since: this.#startedAt,
      mayExist: this.#start.attempt > 1 || this.#hasFailedToOpen,
    });
    const { edits } = this.#deps.rest.limits.ofChannel(place.channel);
    if (!this.#isClosed && edits.reserve()) this.#reservedIn = place.channel;
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

  /**
   * Writes new words until none are missing; links alone wait for the end. First words and complete parts go before words that
   * will be written again.
   */
  async #grow(place: AnswerPlace, latest: () => View | null, signal: AbortSignal): Promise<void> {
    for (;;) {
      const parts = this.#renderLatest(latest);
      const index = parts.findIndex((part, i) => this.#lacksWords(i, part));
      const missing = parts[index];
      if (!missing) return;
      const { isGrowing, words } = missing;
      const hasWords = this.#shown.some(({ part }) => part?.words !== 0);
      const priority = isGrowing && (words === 0 || hasWords) ? 'progress' : 'first';
      const since = (this.#waitingSince ??= hasWords ? performance.now() : this.#startedAt);
      const waiting: Waiting = { priority, since, signal, withinMs: PROGRESS_MS };
      await this.#write(place, index, () => this.#renderLatest(latest)[index] ?? missing, waiting);
    }
  }

  /** No parts once there is to be no more progress. */
  #renderLatest(latest: () => View | null): readonly Part[] {
    const view = latest();
    return view ? this.#renderer.render(view) : [];
  }

  /** Missing words come first, in order. Then what can be read already gets its sources and links, when there is time for them. */
  async #finish(place: AnswerPlace, parts: readonly Part[], signal: AbortSignal): Promise<void> {
    this.#endedAt ??= performance.now();
    const waiting: Waiting = { priority: 'final', since: this.#endedAt, signal };
    for (const [index, part] of parts.entries()) {
      if (!this.#lacksWords(index, part) || isExtra(index, part)) continue;
      await this.#bring(place, index, part, waiting);
    }
    this.#release();
    await this.#deleteSurplus(parts.length);
    for (const [index, part] of [...parts.entries()].reverse()) {
      await this.#bring(place, index, part, { ...waiting, priority: 'later' });
    }
  }

  #lacksWords(index: number, { words, isGrowing, content }: Part): boolean {
    const there = this.#shown[index]?.part;
    if (!there || there.words !== words || (there.isGrowing && !isGrowing)) return true;
    return isGrowing && words === 0 && there.content !== content;
  }

  async #bring(place: AnswerPlace, index: number, part: Part, waiting: Waiting): Promise<void> {
    const there = this.#shown[index]?.part;
    if (there && lookOf(there) === lookOf(part)) return;
    await this.#write(place, index, () => part, waiting);
  }

  /** Waits until a call may be made, and counts it. @throws {Failure} `stopped`, or `rate-limited` when it takes too long. */
  async #acquire(call: Call, { priority, since, signal, withinMs }: Waiting): Promise<void> {
    const until = withinMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const waiting = { priority, since, signal: until, owner: this.#question.asker.id };
    if (await this.#deps.rest.limits.acquire(call, waiting)) return;
    if (signal.aborted) throw new Failure('stopped', 'stopped while waiting to write');
    throw new Failure('rate-limited', 'no call is free for progress', { retryAfterMs: 0 });
  }

  /** Returns the reserve: the last words are there, or will not come. */
  #release(): void {
    if (this.#reservedIn !== null) this.#deps.rest.limits.ofChannel(this.#reservedIn).edits.release();
    this.#reservedIn = null;
  }

  /** Waits for the call, then posts or edits what the message should show by then. */
  async #write(place: AnswerPlace, index: number, draw: () => Part, waiting: Waiting): Promise<void> {
    const shown = this.#shown[index];
    await this.#acquire(shown ? editIn(place.channel) : postIn(place.channel), waiting);
    this.#waitingSince = null;
    const part = draw();
    if (!shown) return this.#post(place, index, part, waiting);
    // The limiter spends a reserved call on a final edit.
    if (waiting.priority === 'final') this.#reservedIn = null;
    const { channel, message } = shown.ref;
    try {
      await editInArchived(this.#deps.rest, part, { channel, message, urgency: 'acquired' });
      shown.part = part;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.editedTooOften) throw error;
      await this.#replace(place, index, part, waiting);
    }
  }

  async #post(place: AnswerPlace, index: number, part: Part, waiting: Waiting): Promise<void> {
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
    if (!isAsRendered) await this.#bring(place, index, part, waiting);
  }

  /** Discord refuses more edits of a message older than an hour: the rest of the answer gets a new one. */
  async #replace(place: AnswerPlace, index: number, part: Part, waiting: Waiting): Promise<void> {
    const old = this.#shown[index]?.ref;
    this.#replaced++;
    await this.#acquire(postIn(place.channel), { ...waiting, priority: 'final', withinMs: undefined });
    await this.#post(place, index, part, waiting);
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
