/** Slack and Discord as the people in them see them, in the same words: for scenarios, chaos and load on both. */
import type { PlatformName } from '../../src/core/types.ts';
import {
  type DiscordServer,
  type DiscordServerOptions,
  startDiscordServer,
} from '../servers/discord/discord-server.ts';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';
import type { SlackServerOptions } from '../servers/slack/types.ts';
import type { ServiceOptions } from './service.ts';

/** Where a conversation goes on: a thread (Slack's root `ts`, Discord's thread) or a DM. */
export interface Place {
  readonly channel: string;
  readonly thread: string;
}

/** A file that somebody attaches. */
export interface GivenFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** One message of the bot. */
export interface Post {
  readonly id: string;
  /** The source of what is shown, in the platform's own mark-up. */
  readonly text: string;
  /** It streams, or carries the mark of a message that still grows. */
  readonly isGrowing: boolean;
  readonly buttons: readonly string[];
}

export interface Side {
  readonly name: PlatformName;
  /** How the service is told of this side. */
  readonly connection: Pick<ServiceOptions, 'slack' | 'discord'>;
  /** Channels to ask in. On Slack each has its own limit of one new message a second. */
  readonly channels: readonly string[];
  /** Somebody mentions the bot in a channel, the first one unless said. `person` is 0 for the first. */
  mention(text: string, person?: number, channel?: string): Place;
  /** Somebody mentions the bot with files, in a place or at the beginning of one. */
  attach(text: string, files: readonly GivenFile[], place?: Place): Place;
  /** Somebody begins a thread without the bot. */
  talk(text: string, person?: number): Place;
  /** Somebody writes to the bot directly. */
  direct(text: string, person?: number): Place;
  /** Somebody goes on in a place, without a mention unless asked for. Returns the message's id. */
  follow(
    place: Place,
    text: string,
    options?: { readonly person?: number; readonly mention?: boolean },
  ): string;
  /** Somebody else's bot says something in a place. */
  otherBot(place: Place, text: string): void;
  /** What the bot has put under people's messages there. */
  reactions(place: Place): readonly string[];
  /** The bot's messages there, oldest first. */
  posts(place: Place): readonly Post[];
  /** Presses a button of a message by its label. */
  press(place: Place, post: Post, label: string, person?: number): void;
  /** Stops what is being answered there: Slack's own Stop, Discord's button. */
  stop(place: Place, person?: number): void;
  /** Deletes a message, the one the conversation began with unless given. */
  unsay(place: Place, message?: string): void;
  /** Somebody changes what they said in a place. */
  edit(place: Place, message: string, text: string): void;
  /** What one person alone was shown, newest last. */
  shownAlone(person?: number): readonly string[];
  /** Whether all that was said has been taken in, as far as the platform is told. */
  isHeard(): boolean;
  /** Calls with a 429, and calls made although an earlier 429 forbade it. */
  limits(): { readonly refused: number; readonly insideRetryAfter: number };
  /** Called after every visible change. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface SlackSide extends Side {
  readonly server: SlackServer;
}

export interface DiscordSide extends Side {
  readonly server: DiscordServer;
}

/** The number of the first person of a crowd: see `crowd` of the stand-ins. */
export const FIRST_OF_CROWD = 4;

/** A Slack stand-in as a side. */
export async function startSlackSide(options: SlackServerOptions = {}): Promise<SlackSide> {
  const server = await startSlackServer(options);
  const user = (person = 0): string => server.people[person]?.id ?? '';
  const channels = ['general', 'random', 'partners', ...crowdChannels(options)];
  const idOf = (name = 'general'): string =>
    server.channels.find((channel) => channel.name === name)?.id ?? '';
  const dm = (person = 0): string =>
    server.channels.find((channel) => channel.kind === 'im' && channel.members.includes(user(person)))?.id ??
    '';
  const begin = (channel: string, text: string, person?: number): Place => {
    return { channel, thread: server.say({ user: user(person), channel, text }) };
  };
  const { apiUrl, botToken, appToken } = server;
  return {
    name: 'slack',
    server,
    connection: { slack: { apiUrl, botToken, appToken } },
    channels,
    mention(text, person, name) {
      const channel = idOf(name);
      const ts = server.say({ user: user(person), channel, text: `<@${server.botUser}> ${text}` });
      return { channel, thread: ts };
    },
    attach(text, given, place) {
      const channel = place?.channel ?? idOf();
      const files = given.map(({ name, type, bytes }) => ({ name, mimetype: type, bytes }));
      const words = `<@${server.botUser}> ${text}`;
      const threadTs = place && { threadTs: place.thread };
      const ts = server.say({ user: user(), channel, text: words, files, ...threadTs });
      return place ?? { channel, thread: ts };
    },
    talk: (text, person) => begin(idOf(), text, person),
    direct: (text, person) => begin(dm(person), text, person),
    follow({ channel, thread }, text, { person, mention } = {}) {
      const words = mention ? `<@${server.botUser}> ${text}` : text;
      return server.say({ user: user(person), channel, text: words, threadTs: thread });
    },
    otherBot: ({ channel, thread }, text) => void server.otherBot({ channel, text, threadTs: thread }),
    reactions: ({ channel, thread }) =>
      server
        .history(channel, thread)
        .flatMap(({ reactions }) => reactions.map(({ name }) => EMOJI[name] ?? name)),
    posts: ({ channel, thread }) =>
      server
        .history(channel, thread)
        .filter((message) => message.bot && message.ts !== thread)
        .map(({ ts, text, streaming, blocks }) => ({
          id: ts,
          text,
          isGrowing: streaming,
          buttons: slackButtons(blocks),
        })),
    press({ channel }, post, label, person) {
      const message = server.history(channel).find(({ ts }) => ts === post.id);
      const button = elements(message?.blocks ?? []).find((element) => element.text?.text === label);
      if (!button) throw new Error(`no button ${label}`);
      server.press({
        user: user(person),
        channel,
        ts: post.id,
        actionId: button.action_id,
        value: button.value,
      });
    },
    stop: ({ channel, thread }, person) =>
      server.stopSession({ user: user(person), channel, threadTs: thread }),
    unsay: ({ channel, thread }, message = thread) => server.remove({ channel, ts: message }),
    edit: ({ channel }, ts, text) => server.edit({ channel, ts, text }),
    shownAlone: (person) =>
      server.ephemerals
        .filter((one) => one.user === user(person))
        .map(({ text, blocks }) => [text, ...markdownOf(blocks)].join('\n')),
    isHeard: () => server.unacked().length === 0,
    limits: () => ({
      refused: server.calls.filter((call) => call.status === 429).length,
      insideRetryAfter: server.calls.filter((call) => call.insideRetryAfter).length,
    }),
    onChange: (listener) => server.onChange(listener),
    close: () => server.close(),
  };
}

const EMOJI: Readonly<Record<string, string>> = { '+1': '👍', clock1: '🕐', eyes: '👀' };

function crowdChannels({ crowd }: Pick<SlackServerOptions, 'crowd'>): string[] {
  return Array.from({ length: crowd?.channels ?? 0 }, (_, n) => `channel-${n}`);
}

function markdownOf(blocks: readonly unknown[]): string[] {
  // As for the buttons: validated by the stand-in.
  return (blocks as readonly { type: string; text?: string }[])
    .filter((block) => block.type === 'markdown')
    .map((block) => block.text ?? '');
}

interface SlackButton {
  readonly text?: { readonly text: string };
  readonly action_id: string;
  readonly value: string;
}

function elements(blocks: readonly unknown[]): readonly SlackButton[] {
  // The stand-in has validated the blocks: an actions block has elements of this shape.
  return (blocks as readonly { type: string; elements?: readonly SlackButton[] }[])
    .filter((block) => block.type === 'actions')
    .flatMap((block) => block.elements ?? []);
}

function slackButtons(blocks: readonly unknown[]): string[] {
  return elements(blocks).map((element) => element.text?.text ?? '');
}

/** The mark at the end of a Discord message that still grows (ux: " ▌"). */
const GROWING = /▌\s*$/;

/** A Discord stand-in as a side. */
export async function startDiscordSide(options: DiscordServerOptions = {}): Promise<DiscordSide> {
  const server = await startDiscordServer(options);
  const user = (person = 0): string => server.people[person]?.username ?? '';
  /** Where each first message was said. */
  const parents = new Map<string, string>();
  const parentOf = ({ thread }: Place): string => parents.get(thread) ?? 'general';
  // Where no thread could be started, the conversation is a chain of replies in the channel.
  const history = (place: Place) => {
    const isThere = server.channels.some((channel) => channel.id === place.channel);
    return server.history(isThere ? place.channel : parentOf(place));
  };
  const answersIn = (messages: ReturnType<typeof history>, place: Place) => {
    const isThread = server.channels.some((channel) => channel.id === place.channel);
    const mine = messages.filter(
      (message) => message.author.bot && BigInt(message.id) > BigInt(place.thread),
    );
    if (isThread) return mine;
    const chain = new Set([place.thread]);
    return mine.filter(({ id, referencedMessage }) => chain.has(referencedMessage ?? '') && chain.add(id));
  };
  const { apiUrl, token, applicationId } = server;
  return {
    name: 'discord',
    server,
    connection: { discord: { apiUrl, token, applicationId } },
    channels: ['general', 'random', ...crowdChannels(options)],
    mention(text, person, channel = 'general') {
      const content = `<@${server.botUser.id}> ${text}`;
      const id = server.say({ user: user(person), channel, content });
      parents.set(id, channel);
      return { channel: id, thread: id };
    },
    attach(text, given, place) {
      const content = `<@${server.botUser.id}> ${text}`;
      const attachments = given.map(({ name, type, bytes }) => ({
        filename: name,
        contentType: type,
        bytes,
      }));
      const channel = place?.channel ?? 'general';
      const id = server.say({ user: user(), channel, content, attachments });
      if (!place) parents.set(id, 'general');
      return place ?? { channel: id, thread: id };
    },
    talk(content, person) {
      const message = server.say({ user: user(person), channel: 'general', content });
      const thread = server.makeThread({ user: user(person), channel: 'general', name: 'talk', message });
      return { channel: thread, thread };
    },
    direct(text, person) {
      const channel = server.channels.find(({ name }) => name === `@${user(person)}`)?.id ?? '';
      return { channel, thread: server.say({ user: user(person), channel, content: text }) };
    },
    follow({ channel }, text, { person, mention } = {}) {
      const content = mention ? `<@${server.botUser.id}> ${text}` : text;
      return server.say({ user: user(person), channel, content });
    },
    otherBot: ({ channel }, content) => void server.otherBot({ channel, content }),
    reactions: (place) => history(place).flatMap(({ reactions }) => reactions.map(({ emoji }) => emoji)),
    posts: (place) =>
      answersIn(history(place), place).map(({ id, content, components }) => ({
        id,
        text: content.replace(GROWING, ''),
        isGrowing: GROWING.test(content),
        buttons: discordButtons(components).map((button) => button.label),
      })),
    press(place, post, label, person) {
      const message = history(place).find(({ id }) => id === post.id);
      const button = discordButtons(message?.components ?? []).find((one) => one.label === label);
      if (!button) throw new Error(`no button ${label}`);
      server.press({
        user: user(person),
        channel: place.channel,
        message: post.id,
        customId: button.custom_id,
      });
    },
    stop(place, person) {
      const growing = answersIn(history(place), place).findLast(({ components }) => components.length > 0);
      const button = discordButtons(growing?.components ?? []).find((one) => one.label === 'Stop');
      if (!growing || !button) throw new Error('nothing to stop');
      server.press({
        user: user(person),
        channel: growing.channel,
        message: growing.id,
        customId: button.custom_id,
      });
    },
    edit: ({ channel }, message, content) => server.edit({ channel, message, content }),
    unsay: (place, message = place.thread) =>
      server.remove({ channel: message === place.thread ? parentOf(place) : place.channel, message }),
    shownAlone: (person) => {
      const id = server.people.find(({ username }) => username === user(person))?.id;
      return server.interactions
        .filter((interaction) => interaction.user === id)
        .flatMap((interaction) => interaction.ephemeral.map((message) => message.content));
    },
    isHeard: () => true,
    limits: () => ({
      refused: server.calls.filter((call) => call.status === 429).length,
      insideRetryAfter: server.calls.filter((call) => call.insideRetryAfter).length,
    }),
    onChange: (listener) => server.onChange(listener),
    close: () => server.close(),
  };
}

interface DiscordButton {
  readonly label: string;
  readonly custom_id: string;
}

function discordButtons(components: readonly unknown[]): readonly DiscordButton[] {
  // Action rows of buttons are all the service sends, and the stand-in has validated them.
  return (components as readonly { components?: readonly DiscordButton[] }[]).flatMap(
    (row) => row.components ?? [],
  );
}

/** An answer's last message ends in its footer (`… · 3.2 s`) or in an explanation with its short id. */
const ENDED = /· \d+\.\d s\b|· E-[2-9A-Z]{4}\b/;

/** Whether the posts hold `count` ended answers and nothing is growing. */
export function areEnded(posts: readonly Post[], count: number): boolean {
  const ended = posts.filter((post) => ENDED.test(post.text)).length;
  return ended >= count && posts.every((post) => !post.isGrowing);
}

/** Resolves when the condition holds, looked at after every visible change. @throws after `withinMs`. */
export async function until(
  side: Side,
  what: string,
  withinMs: number,
  condition: () => boolean,
): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const patience = setTimeout(() => {
      stop();
      reject(new Error(`${side.name}: not within ${withinMs} ms: ${what}`));
    }, withinMs);
    const stop = side.onChange(() => {
      if (!condition()) return;
      clearTimeout(patience);
      stop();
      resolve();
    });
  });
}
