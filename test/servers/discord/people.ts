import { channelNamed, messageIn, personNamed } from './lookup.ts';
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
import { allowedFor, type Said, type Sent, say, send } from './saying.ts';
import type { Author, Permission } from './state.ts';
import { authorOf, Intents, newChannel, type World } from './world.ts';

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
  otherBot(sent: Sent): string;
  /** Begins a forum post: a thread whose first message has its id. */
  post(post: Omit<Said, 'channel'> & { readonly forum: string; readonly title: string }): string;
  /** Says something that notifies @everyone. */
  everyone(said: { readonly user: string; readonly channel: string; readonly content: string }): string;
  react(reaction: {
    readonly user: string;
    readonly channel: string;
    readonly message: string;
    readonly emoji: string;
    readonly remove?: boolean;
  }): void;
  /** Nobody sees a private one but those who are let in, and the bot. */
  makeChannel(name: string, options?: { readonly isPrivate?: boolean }): string;
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
    otherBot: (sent) =>
      send(world, sent, sent.webhook ? { ...hook, username: sent.name ?? hook.username } : otherBot).id,
    post({ forum, title, ...said }) {
      const parent = channelNamed(world, forum);
      const owner = authorOf(personNamed(world, said.user));
      const thread = startThread(world, {
        parent,
        starter: null,
        name: title,
        owner,
        autoArchiveMinutes: 1440,
      });
      return say(world, { ...said, channel: thread.id }, false, thread.id).id;
    },
    react({ user, channel, message, emoji, remove }) {
      const reaction = { emoji, user: personNamed(world, user).id, add: !remove };
      react(world, messageIn(world, channel, message), reaction);
    },
    makeChannel(name, { isPrivate = false } = {}) {
      const channel = newChannel(world.nextId(), 'text', name, { createdAt: world.now(), isPrivate });
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
