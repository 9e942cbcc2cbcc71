import type { AllowedMentions } from './mentions.ts';
import {
  addMessage,
  changeMessage,
  react,
  removeChannel,
  removeMessage,
  removeMessages,
  setArchived,
  startThread,
} from './messages.ts';
import { channelPayload } from './payloads.ts';
import type { Author, ChannelState, MessageState, Permission, Person } from './state.ts';
import { authorOf, findMessage, Intents, newChannel, type World } from './world.ts';

interface SaidFile {
  readonly filename: string;
  readonly contentType?: string;
  readonly text?: string;
  /** Bytes; the length of the text when left out. */
  readonly size?: number;
}

/** Users and channels are given by id or by name. */
interface Said {
  readonly user: string;
  readonly channel: string;
  readonly content: string;
  /** The message it replies to. */
  readonly replyTo?: string;
  /** Whether the reply notifies its author; true as in the client. */
  readonly ping?: boolean;
  readonly attachments?: readonly SaidFile[];
  /** The id of a message, in any channel, that is forwarded. */
  readonly forwardOf?: string;
}

/** What people, and other bots, do in the town. Ids of new messages and threads are returned. */
export interface PeopleControl {
  say(said: Said): string;
  edit(change: { readonly channel: string; readonly message: string; readonly content: string }): void;
  remove(target: { readonly channel: string; readonly message: string }): void;
  /** Deletes several at once, as moderators do. */
  removeAll(target: { readonly channel: string; readonly messages: readonly string[] }): void;
  /** Discord's own notice of what somebody did: a join (7), a pin (6), a boost (8), a new channel name (4), a thread (18). */
  notice(notice: {
    readonly user: string;
    readonly channel: string;
    readonly type: number;
    readonly content?: string;
  }): string;
  /** Link previews arrive: an update that is no edit. */
  preview(target: { readonly channel: string; readonly message: string }): void;
  /** From now on the guild knows this person by another name. */
  nickname(user: string, nick: string): void;
  otherBot(said: { readonly channel: string; readonly content: string; readonly webhook?: boolean }): string;
  /** Says something that notifies @everyone. */
  everyone(said: { readonly user: string; readonly channel: string; readonly content: string }): string;
  react(reaction: {
    readonly user: string;
    readonly channel: string;
    readonly message: string;
    readonly emoji: string;
    readonly remove?: boolean;
  }): void;
  makeChannel(name: string): string;
  makeThread(thread: {
    readonly user: string;
    readonly channel: string;
    readonly name: string;
    /** The message it is started from. */
    readonly message?: string;
  }): string;
  archive(thread: string, options?: { readonly locked?: boolean }): void;
  deleteChannel(channel: string): void;
  /** From now on the bot's direct messages to this person fail. */
  refuseDms(user: string): void;
  /** Replaces what the bot may not do in a channel. */
  deny(channel: string, permissions: readonly Permission[]): void;
}

export function channelNamed(world: World, idOrName: string): ChannelState {
  const wanted = idOrName.replace(/^#/, '');
  const channel = world.state.channels.find(({ id, name }) => id === wanted || name === wanted);
  if (!channel) throw new Error(`no channel ${idOrName}`);
  return channel;
}

export function personNamed(world: World, idOrName: string): Person {
  const person = world.state.people.find(({ id, username }) => id === idOrName || username === idOrName);
  if (!person) throw new Error(`nobody is called ${idOrName}`);
  return person;
}

export function messageIn(world: World, channel: string, id: string): MessageState {
  const message = findMessage(world, channelNamed(world, channel).id, id);
  if (!message) throw new Error(`no message ${id} in ${channel}`);
  return message;
}

export function createPeople(world: World): PeopleControl {
  const otherBot: Author = {
    id: world.nextId(),
    username: 'other-bot',
    globalName: null,
    bot: true,
    webhook: false,
  };
  const hook: Author = { id: world.nextId(), username: 'hook', globalName: null, bot: true, webhook: true };
  return {
    say: (said) => say(world, said, false).id,
    everyone(said) {
      const content = /@(everyone|here)/.test(said.content) ? said.content : `@everyone ${said.content}`;
      return say(world, { ...said, content }, true).id;
    },
    edit({ channel, message, content }) {
      changeMessage(world, messageIn(world, channel, message), { content, allowed: allowedFor(false, true) });
    },
    remove({ channel, message }) {
      removeMessage(world, messageIn(world, channel, message));
    },
    removeAll({ channel, messages }) {
      removeMessages(
        world,
        messages.map((id) => messageIn(world, channel, id)),
      );
    },
    notice({ user, channel, type, content = '' }) {
      const author = authorOf(personNamed(world, user));
      const place = channelNamed(world, channel);
      return addMessage(world, { channel: place, author, content, type, allowed: allowedFor(false, true) })
        .id;
    },
    preview({ channel, message }) {
      const embeds = [{ type: 'link', url: 'https://example.org/', title: 'A page' }];
      changeMessage(world, messageIn(world, channel, message), {
        embeds,
        allowed: allowedFor(false, true),
        silently: true,
      });
    },
    nickname(user, nick) {
      personNamed(world, user).nick = nick;
    },
    otherBot({ channel, content, webhook }) {
      const author = webhook ? hook : otherBot;
      return addMessage(world, {
        channel: channelNamed(world, channel),
        author,
        content,
        allowed: allowedFor(false, true),
      }).id;
    },
    react({ user, channel, message, emoji, remove }) {
      const reaction = { emoji, user: personNamed(world, user).id, add: !remove };
      react(world, messageIn(world, channel, message), reaction);
    },
    makeChannel(name) {
      const channel = newChannel(world.nextId(), 'text', name, { createdAt: world.now() });
      world.state.channels.push(channel);
      const body = (): object => channelPayload(world, channel);
      world.dispatch({ t: 'CHANNEL_CREATE', intents: Intents.guilds, channel: channel.id, body });
      return channel.id;
    },
    makeThread({ user, channel, name, message }) {
      const parent = channelNamed(world, channel);
      const starter = message === undefined ? null : messageIn(world, channel, message);
      const owner = authorOf(personNamed(world, user));
      return startThread(world, { parent, starter, name, owner, autoArchiveMinutes: 1440 }).id;
    },
    archive(thread, { locked } = {}) {
      setArchived(world, channelNamed(world, thread), {
        archived: true,
        ...(locked === undefined ? {} : { locked }),
      });
    },
    deleteChannel(channel) {
      removeChannel(world, channelNamed(world, channel));
    },
    refuseDms(user) {
      personNamed(world, user).refusesDms = true;
    },
    deny(name, permissions) {
      const channel = channelNamed(world, name);
      channel.denied = permissions;
      const body = (): object => channelPayload(world, channel);
      world.dispatch({ t: 'CHANNEL_UPDATE', intents: Intents.guilds, channel: channel.id, body });
    },
  };
}

/** People mention users and roles; `@everyone` only works for those who may. */
function allowedFor(everyone: boolean, ping: boolean): AllowedMentions {
  return { parse: everyone ? ['users', 'roles', 'everyone'] : ['users', 'roles'], replied_user: ping };
}

function say(world: World, said: Said, isEveryone: boolean): MessageState {
  const channel = channelNamed(world, said.channel);
  if (channel.kind === 'forum') throw new Error('a forum has threads only: makeThread first');
  if (channel.thread?.locked) throw new Error('the thread is locked');
  const person = personNamed(world, said.user);
  const isStranger = channel.recipient !== null && channel.recipient !== person.id;
  if (isStranger) throw new Error(`${said.user} cannot write in somebody else's DM`);
  return addMessage(world, {
    channel,
    author: authorOf(person),
    content: said.content,
    allowed: allowedFor(isEveryone, said.ping ?? true),
    attachments: (said.attachments ?? []).map((file) => ({
      id: world.nextId(),
      filename: file.filename,
      contentType: file.contentType ?? null,
      size: file.size ?? Buffer.byteLength(file.text ?? ''),
      text: file.text ?? '',
    })),
    ...referenceOf(world, channel, said),
  });
}

function referenceOf(
  world: World,
  channel: ChannelState,
  said: Said,
): Partial<Pick<MessageState, 'reference' | 'snapshots'>> {
  if (said.replyTo !== undefined) {
    const target = messageIn(world, channel.id, said.replyTo);
    return { reference: { type: 0, channel: channel.id, message: target.id } };
  }
  if (said.forwardOf === undefined) return {};
  const all = Object.values(world.state.messages).flat();
  const target = all.find(({ id }) => id === said.forwardOf);
  if (!target) throw new Error(`no message ${said.forwardOf} to forward`);
  const { content, type, createdAt: timestamp, attachments } = target;
  return {
    reference: { type: 1, channel: target.channel, message: target.id },
    snapshots: [{ content, type, timestamp, attachments }],
  };
}
