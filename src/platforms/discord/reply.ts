import { Failure } from '../../core/failures.ts';
import type { Log, Reply, ReplyStart, Urgency } from '../../core/ports.ts';
import { isFinal, type MessageRef, type Question, type ThreadRef, type View } from '../../core/types.ts';
import { createDrawing } from './drawing.ts';
import { CODE } from './errors.ts';
import { findLeftovers } from './leftovers.ts';
import { type Draft, editMessage, nonceOf, postMessage } from './messages.ts';
import type { ChannelPace } from './pace.ts';
import { findPlace, type Place, type PlaceDeps } from './place.ts';
import { createTyping } from './typing.ts';

export interface ReplyDeps extends PlaceDeps {
  readonly botId: string;
  readonly log: Log;
}

/** A message of the answer and what it shows; null when that is not known (an earlier attempt wrote it). */
interface Shown {
  ref: MessageRef;
  content: string | null;
}

/** Progress that has no budget now is shown a little later, with whatever has come by then. */
const PROGRESS_LATER_MS = 400;

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
  /** A call granted by `turn` and not used yet. */
  #granted: 'create' | 'edit' | null = null;
  /** What the last progress could not have. */
  #wanted: 'create' | 'edit' | null = null;
  /** One edit of the channel is set aside for the end of this answer. */
  #hasReserve = false;
  #hasLooked = false;
  /** How often a message had to be replaced: a new message needs a new nonce. */
  #replaced = 0;

  constructor(deps: ReplyDeps, question: Question, start: ReplyStart) {
    this.#deps = deps;
    this.#question = question;
    this.#start = start;
    this.#typing = createTyping(deps.rest);
    this.#shown = start.messages.map((ref) => ({ ref, content: null }));
    this.#hasLooked = start.attempt <= 1;
  }

  async open(): Promise<ThreadRef> {
    return (await this.#place()).thread;
  }

  async turn(urgency: Urgency, signal: AbortSignal): Promise<void> {
    const pace = this.#pace;
    // Not open yet: the first show waits for that and pays for itself.
    if (!pace) return;
    const kind = this.#wanted ?? (this.#shown.length === 0 ? 'create' : 'edit');
    if (urgency === 'progress' && kind === 'edit') await pace.gap(signal);
    if (signal.aborted || this.#granted === kind) return;
    await pace[kind].take(urgency, signal);
    if (signal.aborted) return;
    this.#granted = kind;
    this.#wanted = null;
    if (urgency === 'final' && kind === 'edit') this.#hasReserve = false;
  }

  async show(view: View): Promise<void> {
    const place = await this.#place();
    const drafts = this.#drawing.draw(view);
    const isEnd = isFinal(view);
    if (drafts.length === 0) return this.#typing.start(place.channel);
    this.#typing.stop();
    await this.#lookForLeftovers(place);
    const urgency = isEnd ? 'final' : 'progress';
    for (const index of this.#order(drafts.length, isEnd)) {
      const draft = drafts[index];
      if (draft) await this.#bring(place, index, draft, urgency);
    }
    if (isEnd) await this.#deleteSurplus(drafts.length);
  }

  unresolved(): number {
    return this.#drawing.unresolved();
  }

  close(): Promise<void> {
    this.#typing.stop();
    this.#releaseReserve();
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
    const place = await findPlace(this.#deps, this.#question, this.#start.messages);
    this.#pace = this.#deps.rest.paces.of(place.channel);
    this.#hasReserve = this.#pace.edit.reserve();
    return place;
  }

  /** At the end the words still missing come first; what only gets its links is rewritten behind them. */
  #order(count: number, isEnd: boolean): readonly number[] {
    const all = Array.from({ length: count }, (_, index) => index);
    const growing = isEnd ? Math.max(0, Math.min(this.#shown.length, count) - 1) : 0;
    return [...all.slice(growing), ...all.slice(0, growing)];
  }

  async #lookForLeftovers(place: Place): Promise<void> {
    if (this.#hasLooked) return;
    const known = this.#shown.map(({ ref }) => ref);
    const { rest, botId } = this.#deps;
    const { isTaken } = this.#start;
    const found = await findLeftovers(rest, botId, this.#question, place, { known, isTaken });
    this.#hasLooked = true;
    if (found.length === 0) return;
    this.#shown.push(...found.map((ref) => ({ ref, content: null })));
    await this.#record();
  }

  async #bring(place: Place, index: number, draft: Draft, urgency: Urgency): Promise<void> {
    const shown = this.#shown[index];
    const look = JSON.stringify(draft);
    if (!shown) return this.#post(place, index, draft, urgency);
    if (shown.content === look) return;
    await this.#spend('edit', urgency);
    try {
      await this.#edit(shown.ref, draft, urgency);
      shown.content = look;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.editedTooOften) throw error;
      await this.#replace(place, index, draft, urgency);
    }
    this.#pace?.wrote();
  }

  async #post(place: Place, index: number, draft: Draft, urgency: Urgency): Promise<void> {
    await this.#spend('create', urgency);
    const nonce = nonceOf(this.#question.id, place.channel, index, this.#replaced);
    const { channel, replyTo } = place;
    const posted = await postMessage(this.#deps.rest, draft, { channel, replyTo, nonce, urgency });
    this.#pace?.wrote();
    const { workspace } = this.#question;
    // An earlier try may have posted an earlier state under this nonce: what came back is what is there.
    const isAsDrawn = posted.content.trim() === draft.content.trim();
    const ref: MessageRef = { platform: 'discord', workspace, channel, message: posted.id };
    this.#shown[index] = { ref, content: isAsDrawn ? JSON.stringify(draft) : null };
    await this.#record();
    if (!isAsDrawn) await this.#bring(place, index, draft, urgency);
  }

  async #edit(ref: MessageRef, draft: Draft, urgency: Urgency): Promise<void> {
    const { rest } = this.#deps;
    const target = { channel: ref.channel, message: ref.message, urgency };
    try {
      await editMessage(rest, draft, target);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== CODE.threadArchived) throw error;
      await rest.patch(`/channels/${ref.channel}`, { body: { archived: false }, urgency });
      await editMessage(rest, draft, target);
    }
  }

  /** Discord refuses more edits of a message older than an hour: the rest of the answer gets a new one. */
  async #replace(place: Place, index: number, draft: Draft, urgency: Urgency): Promise<void> {
    const old = this.#shown[index]?.ref;
    this.#replaced++;
    await this.#post(place, index, draft, urgency);
    if (old) await this.#delete(old);
  }

  async #deleteSurplus(count: number): Promise<void> {
    for (const { ref } of this.#shown.slice(count)) await this.#delete(ref);
    if (this.#shown.length === count) return;
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

  /** Takes a call from the channel's budget. The end of an answer waits for one; progress goes without and comes later. */
  async #spend(kind: 'create' | 'edit', urgency: Urgency): Promise<void> {
    if (this.#granted === kind) {
      this.#granted = null;
      return;
    }
    const budget = this.#pace?.[kind];
    if (urgency === 'final') {
      if (kind === 'edit') this.#hasReserve = false;
      await budget?.take('final');
    } else if (budget && !budget.tryTake('progress')) {
      this.#wanted = kind;
      throw new Failure('rate-limited', 'no budget for progress now', { retryAfterMs: PROGRESS_LATER_MS });
    }
  }

  #releaseReserve(): void {
    if (this.#hasReserve) this.#pace?.edit.release();
    this.#hasReserve = false;
  }

  #record(): Promise<void> {
    return this.#start.posted(this.#shown.map(({ ref }) => ref));
  }
}
