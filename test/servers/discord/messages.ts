import { type AllowedMentions, resolveMentions } from './mentions.ts';
import { channelPayload, messageEventPayload } from './payloads.ts';
import type { AttachmentState, Author, ChannelState, Json, MessageState, SnapshotState } from './state.ts';
import { findChannel, findMessage, Intents, newChannel, threadOf, type World } from './world.ts';

/** A message about to exist. What is left out is empty. */
export interface Draft {
  /** A new one, when left out. */
  readonly id?: string;
  readonly channel: ChannelState;
  readonly author: Author;
  readonly content: string;
  readonly allowed: AllowedMentions;
  readonly type?: number;
  readonly embeds?: readonly Json[];
  readonly components?: readonly Json[];
  readonly attachments?: readonly AttachmentState[];
  readonly stickers?: readonly Json[];
  readonly poll?: Json | null;
  readonly flags?: number;
  readonly reference?: MessageState['reference'];
  readonly snapshots?: readonly SnapshotState[];
  readonly nonce?: string | number | null;
  readonly interaction?: MessageState['interaction'];
  readonly ephemeralTo?: string | null;
}

/** Adds a message to its channel and tells the gateway; an ephemeral one only exists for its reader. */
export function addMessage(world: World, draft: Draft): MessageState {
  const { channel, author, content, allowed } = draft;
  const mentioned = resolveMentions(content, allowed);
  const message: MessageState = {
    id: draft.id ?? world.nextId(),
    channel: channel.id,
    author,
    type: draft.type ?? (draft.reference?.type === 0 ? 19 : 0),
    createdAt: world.now(),
    content,
    embeds: draft.embeds ?? [],
    components: draft.components ?? [],
    attachments: draft.attachments ?? [],
    stickers: draft.stickers ?? [],
    poll: draft.poll ?? null,
    flags: draft.flags ?? 0,
    reference: draft.reference ?? null,
    snapshots: draft.snapshots ?? [],
    editedAt: null,
    nonce: draft.nonce ?? null,
    mentions: withRepliedUser(world, mentioned.users, draft),
    mentionRoles: mentioned.roles,
    mentionEveryone: mentioned.everyone,
    reactions: [],
    interaction: draft.interaction ?? null,
    ephemeralTo: draft.ephemeralTo ?? null,
    lateEdits: 0,
  };
  (world.state.messages[channel.id] ??= []).push(message);
  if (message.ephemeralTo !== null) {
    world.touch();
    return message;
  }
  channel.lastMessage = message.id;
  if (channel.thread && message.type !== 21) {
    if (author.id === world.state.botUser.id) channel.thread.joined = true;
    setArchived(world, channel, { archived: false });
  }
  dispatchMessage(world, 'MESSAGE_CREATE', message);
  return message;
}

function withRepliedUser(world: World, users: readonly string[], draft: Draft): readonly string[] {
  if (draft.reference?.type !== 0 || draft.allowed.replied_user === false) return users;
  const target = findMessage(world, draft.reference.channel, draft.reference.message);
  if (!target || target.author.webhook || users.includes(target.author.id)) return users;
  return [...users, target.author.id];
}

export interface MessageChange {
  readonly content?: string;
  readonly embeds?: readonly Json[];
  readonly components?: readonly Json[];
  readonly attachments?: readonly AttachmentState[];
  readonly flags?: number;
  readonly allowed: AllowedMentions;
  /** Filling a deferred response is no edit that anybody sees as one. */
  readonly silently?: boolean;
}

/** Changes a message. Mentions are parsed anew; edits notify nobody. */
export function changeMessage(world: World, message: MessageState, change: MessageChange): void {
  const { content, allowed, silently, ...fields } = change;
  Object.assign(message, fields);
  if (content !== undefined) {
    const mentioned = resolveMentions(content, allowed);
    message.content = content;
    message.mentions = mentioned.users;
    message.mentionRoles = mentioned.roles;
    message.mentionEveryone = mentioned.everyone;
  }
  if (!silently) message.editedAt = world.now();
  if (message.ephemeralTo === null) dispatchMessage(world, 'MESSAGE_UPDATE', message);
  else world.touch();
}

export function removeMessage(world: World, message: MessageState): void {
  const list = world.state.messages[message.channel] ?? [];
  world.state.messages[message.channel] = list.filter(({ id }) => id !== message.id);
  if (message.ephemeralTo !== null) return world.touch();
  const { id, channel } = message;
  world.dispatch({
    t: 'MESSAGE_DELETE',
    intents: messageIntent(world, channel),
    channel,
    body: () => ({ id, channel_id: channel, ...guildPart(world, channel) }),
  });
}

/** Removes messages of one channel at once: one event for all of them. */
export function removeMessages(world: World, messages: readonly MessageState[]): void {
  const ids = messages.map(({ id }) => id);
  const channel = messages[0]?.channel ?? '';
  const list = world.state.messages[channel] ?? [];
  world.state.messages[channel] = list.filter(({ id }) => !ids.includes(id));
  world.dispatch({
    t: 'MESSAGE_DELETE_BULK',
    intents: messageIntent(world, channel),
    channel,
    body: () => ({ ids, channel_id: channel, ...guildPart(world, channel) }),
  });
}

/** Sends a message event; sessions without the Message Content intent get it emptied. */
export function dispatchMessage(
  world: World,
  t: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE',
  message: MessageState,
): void {
  world.dispatch({
    t,
    intents: messageIntent(world, message.channel),
    channel: message.channel,
    body: (canRead) => {
      // Reactions come with REST reads only.
      const { reactions: _, ...payload } = messageEventPayload(world, message, canRead);
      return payload;
    },
  });
}

/** The intent under which events about messages of a channel are sent. */
function messageIntent(world: World, channel: string): number {
  return findChannel(world, channel)?.kind === 'dm' ? Intents.directMessages : Intents.guildMessages;
}

function guildPart(world: World, channel: string): Json {
  return findChannel(world, channel)?.kind === 'dm' ? {} : { guild_id: world.state.guild.id };
}

/** Starts a public thread, from a message (the thread then has its id) or on its own. */
export function startThread(
  world: World,
  start: {
    readonly parent: ChannelState;
    readonly starter: MessageState | null;
    readonly name: string;
    readonly owner: Author;
    readonly autoArchiveMinutes: number;
  },
): ChannelState {
  const { parent, starter, name, owner, autoArchiveMinutes } = start;
  const now = world.now();
  const joined = owner.id === world.state.botUser.id;
  const metadata = {
    owner: owner.id,
    archived: false,
    locked: false,
    autoArchiveMinutes,
    archiveAt: now,
    joined,
  };
  const channel = newChannel(starter?.id ?? world.nextId(), 'thread', name, {
    parent: parent.id,
    createdAt: now,
    thread: metadata,
  });
  world.state.channels.push(channel);
  dispatchThread(world, 'THREAD_CREATE', channel);
  if (starter) {
    dispatchMessage(world, 'MESSAGE_UPDATE', starter);
    const reference = { type: 0, channel: parent.id, message: starter.id } as const;
    addMessage(world, {
      channel,
      author: owner,
      content: '',
      allowed: { replied_user: false },
      type: 21,
      reference,
    });
  } else if (parent.kind === 'text') {
    const reference = { type: 0, channel: channel.id, message: channel.id } as const;
    const allowed = { replied_user: false };
    addMessage(world, { channel: parent, author: owner, content: name, allowed, type: 18, reference });
  }
  return channel;
}

/** Archives or brings back a thread; nothing happens when it already is so. */
export function setArchived(
  world: World,
  channel: ChannelState,
  change: { readonly archived?: boolean; readonly locked?: boolean },
): void {
  const { thread } = channel;
  if (!thread) return;
  const archived = change.archived ?? thread.archived;
  const locked = change.locked ?? thread.locked;
  if (archived === thread.archived && locked === thread.locked) return;
  if (archived !== thread.archived) thread.archiveAt = world.now();
  Object.assign(thread, { archived, locked });
  dispatchThread(world, 'THREAD_UPDATE', channel);
}

export function dispatchThread(
  world: World,
  t: 'THREAD_CREATE' | 'THREAD_UPDATE',
  channel: ChannelState,
): void {
  world.dispatch({
    t,
    intents: Intents.guilds,
    channel: channel.id,
    body: () => ({
      ...channelPayload(world, channel),
      ...(t === 'THREAD_CREATE' ? { newly_created: true } : {}),
    }),
  });
}

/** Removes a channel with its messages; threads under it go along. */
export function removeChannel(world: World, channel: ChannelState): void {
  const { id, kind, parent } = channel;
  const isThread = kind === 'thread';
  const payload = channelPayload(world, channel);
  const thread = { id, guild_id: world.state.guild.id, parent_id: parent, type: 11 };
  world.dispatch({
    t: isThread ? 'THREAD_DELETE' : 'CHANNEL_DELETE',
    intents: Intents.guilds,
    channel: id,
    body: () => (isThread ? thread : payload),
  });
  for (const child of world.state.channels.filter((other) => other.parent === id))
    removeChannel(world, child);
  world.state.channels.splice(world.state.channels.indexOf(channel), 1);
  delete world.state.messages[id];
  const starter = parent === null ? undefined : findMessage(world, parent, id);
  if (starter && threadOf(world, starter) === undefined) dispatchMessage(world, 'MESSAGE_UPDATE', starter);
}

/** Adds or removes one reaction. */
export function react(
  world: World,
  message: MessageState,
  reaction: { readonly emoji: string; readonly user: string; readonly add: boolean },
): void {
  const { emoji, user, add } = reaction;
  const entry = message.reactions.find((other) => other.emoji === emoji);
  const has = entry?.users.includes(user) ?? false;
  if (has === add) return;
  if (add && entry) entry.users.push(user);
  else if (add) message.reactions.push({ emoji, users: [user] });
  else if (entry) entry.users.splice(entry.users.indexOf(user), 1);
  message.reactions = message.reactions.filter(({ users }) => users.length > 0);
  const channel = message.channel;
  const isDm = findChannel(world, channel)?.kind === 'dm';
  const body = { user_id: user, channel_id: channel, message_id: message.id, ...guildPart(world, channel) };
  world.dispatch({
    t: add ? 'MESSAGE_REACTION_ADD' : 'MESSAGE_REACTION_REMOVE',
    intents: isDm ? Intents.directReactions : Intents.guildReactions,
    channel,
    body: () => ({ ...body, emoji: { id: null, name: emoji }, burst: false, type: 0 }),
  });
}
