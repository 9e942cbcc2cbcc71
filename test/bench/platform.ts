/** A platform's stand-in as a process of its own: asks the questions of a run and notes when which word became visible. */
import type { PlatformName } from '../../src/core/types.ts';
import { type DiscordSide, type SlackSide, startDiscordSide, startSlackSide } from '../support/sides.ts';
import { serve, watchLoop } from './child.ts';
import { now } from './clock.ts';
import { type BenchQuestion, questionText, wordsIn } from './words.ts';

/**
 * Where questions are asked: `channel` = mentions in channels the bot is in; `threads` = each in a thread that exists already;
 * `one-channel` = all in one channel. On Slack the last is the same as the first, since every answer has its own thread there.
 * Discord only: `new-threads` and `replies` = each in a channel of its own, where a thread is started or, with threads switched
 * off, replied to.
 */
export type Ground = 'channel' | 'threads' | 'one-channel' | 'new-threads' | 'replies';

interface PlatformStart {
  readonly platform: PlatformName;
  readonly limits: 'off' | 'real';
  readonly latencyMs: number;
}

/** What became of one question. Times on the common clock; on a call's arrival, so the way there is not counted. */
export interface SeenAnswer {
  readonly n: number;
  readonly tokens: number;
  readonly askedAt: number;
  /** When the answer had come how far: number of words visible from then on. */
  readonly steps: { readonly at: number; readonly words: number }[];
  /** Exactly the words of the answer stand there in the end, in order, none twice. */
  isWhole: boolean;
}

interface Tracked extends SeenAnswer {
  /** How many of its words stand there, those that stand there twice counted twice. */
  found: number;
  readonly question: BenchQuestion;
}

/** A place to ask in, made beforehand. `key` is the thread as the service's store names it. */
export interface Spot {
  readonly channel: string;
  readonly thread: string | null;
  readonly key: string;
}

/** A call on either stand-in. */
interface Call {
  readonly at: number;
  readonly name: string;
  readonly texts: string;
  readonly isPending: boolean;
  readonly isOk: boolean;
}

const loop = watchLoop();
let side: SlackSide | DiscordSide | null = null;
let answers: Tracked[] = [];
/** Where the words of this run begin, and how far apart those of its answers do. */
let wordRange = { first: 0, slot: 1 };
/** Where this run's part of the recorded calls begins, and how far it has been read. */
let begin = 0;
let read = 0;
let unread: number[] = [];
/** Slack's deliveries of questions: when which was sent, and how long its acknowledgement took. */
const envelopes = new Map<string, number>();
let acksRead = 0;
let acks: number[] = [];

function started(): SlackSide | DiscordSide {
  if (side === null) throw new Error('not started');
  return side;
}

function callCount(): number {
  return started().server.calls.length;
}

function callAt(index: number): Call | null {
  const { server, name } = started();
  const call = server.calls[index];
  if (call === undefined) return null;
  if ('args' in call) {
    const isOk = call.result === 'ok';
    return {
      at: call.at,
      name: call.method,
      texts: stringsIn(call.args),
      isPending: call.result === 'pending',
      isOk,
    };
  }
  const isOk = (call.status ?? 0) >= 200 && (call.status ?? 0) < 300;
  const route = `${call.method} ${call.route}`;
  return {
    at: call.at,
    name: name === 'discord' ? route : '',
    texts: stringsIn(call.body),
    isPending: call.status === null,
    isOk,
  };
}

/** Every string in a call's arguments, line by line: text, blocks, chunks alike. */
function stringsIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(stringsIn).join('\n');
}

/** Reads the calls that came since the last time; those not yet answered are looked at again. */
function readCalls(): void {
  const due = unread;
  unread = [];
  for (const count = callCount(); read < count; read++) due.push(read);
  for (const index of due) {
    const call = callAt(index);
    if (call === null) continue;
    if (call.isPending) unread.push(index);
    else if (call.isOk) note(call);
  }
  readAcks();
}

function note(call: Call): void {
  const { slot, first } = wordRange;
  const reached = new Map<number, number>();
  for (const word of wordsIn(call.texts)) {
    const index = Math.floor((word - first) / slot);
    const words = ((word - first) % slot) + 1;
    reached.set(index, Math.max(reached.get(index) ?? 0, words));
  }
  for (const [index, words] of reached) {
    const answer = answers[index];
    if (answer && words > (answer.steps.at(-1)?.words ?? 0)) answer.steps.push({ at: call.at, words });
  }
}

/** Reads the acknowledgements that came since the last time. */
function readAcks(): void {
  const { server } = started();
  if (!('acknowledged' in server)) return;
  for (; acksRead < server.acknowledged.length; acksRead++) {
    const sentAt = envelopes.get(server.acknowledged[acksRead] ?? '');
    if (sentAt !== undefined) acks.push(now() - sentAt);
  }
}

/** Notes what has been sent about the message just said. */
function noteEnvelopes(): void {
  const { server } = started();
  if (!('acknowledged' in server)) return;
  // A mention is delivered twice, as `message` and as `app_mention`.
  for (const { envelopeId } of server.unacked().slice(-2)) {
    if (envelopeId !== null && !envelopes.has(envelopeId)) envelopes.set(envelopeId, now());
  }
}

function ask(question: BenchQuestion, ground: Ground, spot: Spot | null): void {
  const { n, tokens } = question;
  answers.push({ n, tokens, askedAt: now(), steps: [], isWhole: false, found: 0, question });
  say(question, ground, spot);
  noteEnvelopes();
}

function say(question: BenchQuestion, ground: Ground, spot: Spot | null): void {
  const current = started();
  const text = questionText(question);
  if (spot?.thread) {
    const place = { channel: spot.channel, thread: spot.thread };
    if (current.name === 'slack') return void current.follow(place, text, { mention: true });
    return void current.follow(place, `<@${botOf(current)}> ${text}`);
  }
  if (spot && 'guild' in current.server) {
    const content = `<@${botOf(current)}> ${text}`;
    return void current.server.say({ user: 'ada', channel: spot.channel, content });
  }
  if (current.name !== 'slack' || ground === 'one-channel') return void current.mention(text, question.n % 3);
  // Every channel takes one post a second: a workspace has more than one.
  const { server } = current as SlackSide; // its name says so
  const open = server.channels.filter((channel) => ['general', 'random', 'partners'].includes(channel.name));
  const channel = open[question.n % open.length]?.id ?? '';
  server.say({
    user: server.people[question.n % 3]?.id ?? '',
    channel,
    text: `<@${server.botUser}> ${text}`,
  });
}

function botOf(current: SlackSide | DiscordSide): string {
  return typeof current.server.botUser === 'string' ? current.server.botUser : current.server.botUser.id;
}

/** An existing thread nobody has called the bot into, or a channel of its own. */
function makeSpot(n: number, ground: Ground): Spot {
  const current = started();
  if ('guild' in current.server) {
    const { server } = current;
    if (ground !== 'threads') return { channel: server.makeChannel(`own ${n}`), thread: null, key: '' };
    const channel = server.makeThread({ user: 'ada', channel: 'general', name: `talk ${n}` });
    return { channel, thread: channel, key: `discord:${server.guild.id}:${channel}:${channel}` };
  }
  const { server } = current;
  const channel = server.channels.find(({ name }) => name === 'general')?.id ?? '';
  const thread = server.say({ user: server.people[0]?.id ?? '', channel, text: `let us talk about ${n}` });
  return { channel, thread, key: `slack:${server.team}:${channel}:${thread}` };
}

/** All that the bot's messages say now, oldest first, in every channel. */
function botTexts(): string[] {
  const current = started();
  if ('guild' in current.server) {
    const { server } = current;
    return server.channels
      .filter(({ kind }) => kind !== 'forum')
      .flatMap(({ id }) => server.history(id))
      .filter(({ author }) => author.bot)
      .map(({ content }) => content);
  }
  const { server } = current;
  return server.channels
    .flatMap(({ id }) => server.history(id))
    .filter(({ bot }) => bot)
    .map(({ text }) => text);
}

function checkWhole(): void {
  const { slot, first } = wordRange;
  const found = answers.map((): number[] => []);
  for (const word of botTexts().flatMap(wordsIn)) found[Math.floor((word - first) / slot)]?.push(word);
  answers.forEach((answer, index) => {
    const words = found[index] ?? [];
    const { from, tokens } = answer.question;
    answer.found = words.length;
    answer.isWhole = words.length === tokens && words.every((word, i) => word === from + i);
  });
}

function seenOf({ n, askedAt, steps, isWhole, question }: Tracked): SeenAnswer {
  return { n, askedAt, steps, isWhole, tokens: question.tokens };
}

function callsByName(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let index = begin; index < callCount(); index++) {
    const name = callAt(index)?.name ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const handlers = {
  async start({ platform, limits, latencyMs }: PlatformStart) {
    side = await (platform === 'slack' ? startSlackSide : startDiscordSide)({ limits, latencyMs });
    setInterval(readCalls, 10);
    return { connection: side.connection, bot: botOf(side) };
  },
  makeSpots: ({ count, ground }: { count: number; ground: Ground }): Spot[] =>
    Array.from({ length: count }, (_, n) => makeSpot(n, ground)),
  /** Forgets what was asked before and asks these, spread evenly. */
  run({ questions, slot, overMs, ground, spots }: PlatformRun): void {
    readCalls();
    answers = [];
    wordRange = { first: questions[0]?.from ?? 0, slot };
    acks = [];
    begin = callCount();
    loop();
    questions.forEach((question, i) => {
      setTimeout(() => ask(question, ground, spots[i] ?? null), (overMs * i) / questions.length);
    });
  },
  /** How many answers have shown their last word, and how many calls were made: when both stand still, the run is over. */
  progress() {
    const complete = answers.filter(({ steps, question }) => steps.at(-1)?.words === question.tokens).length;
    return { complete, calls: callCount() - begin, open: unread.length };
  },
  /** Whether every answer stands there whole now: one that was begun again may have been complete before. */
  isWhole(): boolean {
    checkWhole();
    return answers.every((answer) => answer.isWhole);
  },
  collect() {
    readCalls();
    checkWhole();
    for (const { n, tokens, found, isWhole } of answers) {
      if (!isWhole) console.error(`answer ${n} is not whole: ${found} of ${tokens} words`);
    }
    const { refused, insideRetryAfter } = started().limits();
    return {
      answers: answers.map(seenOf),
      calls: callsByName(),
      refused,
      insideRetryAfter,
      acks,
      loop: loop(),
    };
  },
};

export interface PlatformRun {
  readonly questions: readonly BenchQuestion[];
  /** How far apart the words of the answers begin. */
  readonly slot: number;
  readonly overMs: number;
  readonly ground: Ground;
  /** One per question, or none. */
  readonly spots: readonly Spot[];
}

export type PlatformHandlers = typeof handlers;
serve(handlers);
