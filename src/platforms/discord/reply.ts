import { Failure } from '../../core/failures.ts';
import type { Priority } from '../../core/limits/rate-limiter.ts';
import type { Log, Reply, ReplyStart, Urgency } from '../../core/ports.ts';
import { isFinal, type MessageRef, type Question, type ThreadRef, type View } from '../../core/types.ts';
import { type Calls, createCalls } from './calls.ts';
import { createDrawing, type Drawn } from './drawing.ts';
import { CODE } from './errors.ts';
import { findLeftovers } from './leftovers.ts';
import { editMessage, nonceOf, postMessage } from './messages.ts';
import type { CallKind, ChannelPace } from './pace.ts';
import { findPlace, type Place, type PlaceDeps } from './place.ts';
import { createTyping } from './typing.ts';

export interface ReplyDeps extends PlaceDeps {
  readonly botId: string;
  readonly log: Log;
}

/** A message of the answer and what it shows; null when that is not known (an earlier attempt wrote it). */
interface Shown {
  ref: MessageRef;
  drawn: Drawn | null;
}

/** Prepares one answer's messages; writes nothing yet. */
export function createReply(deps: ReplyDeps, question: Question, start: ReplyStart): Reply {
  return new DiscordReply(deps, question, start);
}

class DiscordReply implements Reply {
  readonly #deps: ReplyDeps;
  readonly #question: Question;
  readonly #start: ReplyStart;
  readonly #drawing = createDrawing();
  readonly #typing;
  readonly #shown: Shown[];
  #opening: Promise<Place> | null = null;
  #pace: ChannelPace | null = null;
  #calls: Calls | null = null;
  #hasLooked = false;
  #isClosed = false;
  /** How often a message had to be replaced: a new message needs a new nonce. */
  #replaced = 0;
  /** Ends the waits of the final view. */
  #stopping = new AbortController().signal;

  constructor(deps: ReplyDeps, question: Question, start: ReplyStart) {
    this.#deps = deps;
    this.#question = question;
    this.#start = start;
    this.#typing = createTyping(deps.rest);
    this.#shown = start.messages.map((ref) => ({ ref, drawn: null }));
    this.#hasLooked = start.attempt <= 1;
  }

  async open(): Promise<ThreadRef> {
    return (await this.#place()).thread;
  }

  /** The end waits for each of its calls by itself; before the place is open, progress waits for that. */
  async acquire(urgency: Urgency, signal: AbortSignal): Promise<void> {
    if (urgency === 'final') this.#stopping = signal;
    else await this.#calls?.due(signal);
  }

  async show(view: View): Promise<void> {
    const place = await this.#place();
    const drawn = this.#drawing.draw(view);
    if (drawn.length === 0) return this.#typing.start(place.channel);
    this.#typing.stop();
    await this.#lookForLeftovers(place);
    await (isFinal(view) ? this.#finish(place, drawn) : this.#grow(place, drawn));
  }

  unresolved(): number {
    return this.#drawing.unresolved();
  }

  close(): Promise<void> {
    this.#typing.stop();
    this.#isClosed = true;
    this.#leave();
    return Promise.resolve();
  }

  /** A failed opening may be tried again; a successful one is remembered. */
  #place(): Promise<Place> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Place> {
    const { paces } = this.#deps.rest;
    const place = await findPlace(this.#deps, this.#question, this.#start.messages);
    this.#pace = paces.of(place.channel);
    this.#calls = createCalls(paces, this.#pace, this, () => this.#shown.length === 0);
    this.#pace.growing.add(this);
    paces.growing.add(this);
    if (this.#isClosed) this.#leave();
    return place;
  }

  /** Its last words are there, or will not come: others may have what was kept for them. */
  #leave(): void {
    this.#calls?.end();
    this.#pace?.growing.delete(this);
    this.#deps.rest.paces.growing.delete(this);
  }

  async #lookForLeftovers(place: Place): Promise<void> {
    if (this.#hasLooked) return;
    const known = this.#shown.map(({ ref }) => ref);
    const { rest, botId } = this.#deps;
    const { isTaken } = this.#start;
    const found = await findLeftovers(rest, botId, this.#question, place, { known, isTaken });
    this.#hasLooked = true;
    if (found.length === 0) return;
    this.#shown.push(...found.map((ref) => ({ ref, drawn: null })));
    await this.#record();
  }

  /** Progress is new words; what only gets its links waits for the end. */
  async #grow(place: Place, all: readonly Drawn[]): Promise<void> {
    for (const [index, drawn] of all.entries()) {
      if (!this.#lacksWords(index, drawn)) continue;
      this.#calls?.takeNow(this.#shown[index] ? 'edit' : 'create');
      await this.#write(place, index, drawn);
    }
  }

  /**
   * The missing words come first and in order. What can be read already gets its sources and links when all answers that
   * end now have their words.
   */
  async #finish(place: Place, all: readonly Drawn[]): Promise<void> {
    for (const [index, drawn] of all.entries()) {
      if (!this.#lacksWords(index, drawn) || isExtra(index, drawn)) continue;
      await this.#bring(place, index, drawn, 'final');
    }
    this.#leave();
    await this.#deleteSurplus(all.length);
    for (const [index, drawn] of [...all.entries()].reverse()) {
      await this.#bring(place, index, drawn, 'later');
    }
  }

  #lacksWords(index: number, { words, isGrowing }: Drawn): boolean {
    const there = this.#shown[index]?.drawn;
    return !there || there.words !== words || (there.isGrowing && !isGrowing);
  }

  async #bring(place: Place, index: number, drawn: Drawn, priority: Priority): Promise<void> {
    const there = this.#shown[index]?.drawn;
    if (there && lookOf(there) === lookOf(drawn)) return;
    await this.#spend(this.#shown[index] ? 'edit' : 'create', priority);
    await this.#write(place, index, drawn);
  }

  /** Posts or edits; the call is paid for. */
  async #write(place: Place, index: number, drawn: Drawn): Promise<void> {
    const shown = this.#shown[index];
    if (!shown) return this.#post(place, index, drawn);
    try {
      await this.#edit(shown.ref, drawn);
      shown.drawn = drawn;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.editedTooOften) throw error;
      await this.#replace(place, index, drawn);
    }
    this.#pace?.wrote();
  }

  async #post(place: Place, index: number, drawn: Drawn): Promise<void> {
    const { rest } = this.#deps;
    const nonce = nonceOf(this.#question.id, place.channel, index, this.#replaced);
    const { channel, replyTo } = place;
    const posted = await postMessage(rest, drawn, { channel, replyTo, nonce, urgency: 'paid' });
    this.#pace?.wrote();
    const { workspace } = this.#question;
    // An earlier try may have posted an earlier state under this nonce: what came back is what is there.
    const isAsDrawn = posted.content.trim() === drawn.content.trim();
    const ref: MessageRef = { platform: 'discord', workspace, channel, message: posted.id };
    this.#shown[index] = { ref, drawn: isAsDrawn ? drawn : null };
    await this.#record();
    if (!isAsDrawn) await this.#bring(place, index, drawn, 'final');
  }

  async #edit(ref: MessageRef, drawn: Drawn): Promise<void> {
    const { rest } = this.#deps;
    const target = { channel: ref.channel, message: ref.message, urgency: 'paid' } as const;
    try {
      await editMessage(rest, drawn, target);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.threadArchived) throw error;
      await rest.patch(`/channels/${ref.channel}`, { body: { archived: false }, urgency: 'final' });
      await editMessage(rest, drawn, { ...target, urgency: 'final' });
    }
  }

  /** Discord refuses more edits of a message older than an hour: the rest of the answer gets a new one. */
  async #replace(place: Place, index: number, drawn: Drawn): Promise<void> {
    const old = this.#shown[index]?.ref;
    this.#replaced++;
    await this.#spend('create', 'final');
    await this.#post(place, index, drawn);
    if (old) await this.#delete(old);
  }

  async #deleteSurplus(count: number): Promise<void> {
    for (const { ref } of this.#shown.slice(count)) await this.#delete(ref);
    if (this.#shown.length <= count) return;
    this.#shown.length = count;
    await this.#record();
  }

  async #delete({ channel, message }: MessageRef): Promise<void> {
    try {
      await this.#deps.rest.delete(`/channels/${channel}/messages/${message}`, { urgency: 'final' });
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'gone') throw error;
    }
  }

  async #spend(kind: CallKind, priority: Priority): Promise<void> {
    await this.#calls?.take(kind, priority, this.#stopping);
  }

  #record(): Promise<void> {
    return this.#start.posted(this.#shown.map(({ ref }) => ref));
  }
}

/** Sources and footer in a message of their own, under one that has the end of the text. */
function isExtra(index: number, { words }: Drawn): boolean {
  return index > 0 && words === 0;
}

function lookOf({ content, buttons }: Drawn): string {
  return JSON.stringify([content, buttons]);
}
