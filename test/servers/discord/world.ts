import { nextSnowflake } from './snowflakes.ts';
import type {
  Author,
  ChannelKind,
  ChannelState,
  DiscordState,
  InteractionState,
  MessageState,
  Permission,
  Person,
} from './state.ts';

/** One gateway event; its body depends on whether the receiving session may read message content. */
export interface Dispatch {
  readonly t: string;
  /** A session needs one of these intents; 0 = everybody gets it. */
  readonly intents: number;
  /** The channel the bot must be able to see; null for none. */
  readonly channel: string | null;
  body(canReadContent: boolean): object;
}

/** The state plus what every part needs to change it: a clock, ids, and somebody to tell. */
export interface World {
  readonly state: DiscordState;
  /** Milliseconds since the epoch. */
  now(): number;
  nextId(): string;
  random(): number;
  /** `http://127.0.0.1:PORT` */
  origin(): string;
  /** `ws://127.0.0.1:PORT`, or what the options say. */
  gatewayUrl(): string;
  /** How many shards the gateway wants a bot to have. */
  readonly shards: number;
  /** Sends the event to all sessions and tells the listeners that something visible changed. */
  dispatch(event: Dispatch): void;
  /** Tells the listeners that something visible changed. */
  touch(): void;
  /** The Message Content switch of the developer portal. */
  readonly messageContentAllowed: boolean;
}

export const Intents = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildReactions: 1 << 10,
  directMessages: 1 << 12,
  directReactions: 1 << 13,
  messageContent: 1 << 15,
} as const;

export const PermissionBits: Record<Permission, bigint> = {
  ADD_REACTIONS: 1n << 6n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
};

/** What the install link asks for. */
export const BOT_PERMISSIONS = Object.values(PermissionBits).reduce((sum, bit) => sum | bit, 0n);

export function findChannel(world: World, id: string): ChannelState | undefined {
  return world.state.channels.find((channel) => channel.id === id);
}

export function findPerson(world: World, id: string): Person | undefined {
  return world.state.people.find((person) => person.id === id);
}

/** A message of a channel, ephemeral ones included. */
export function findMessage(world: World, channel: string, id: string): MessageState | undefined {
  return world.state.messages[channel]?.find((message) => message.id === id);
}

export function findInteraction(world: World, id: string): InteractionState | undefined {
  return world.state.interactions.find((interaction) => interaction.id === id);
}

/** The thread started from a message: it has the message's id, as a forum post has its first message's. */
export function threadOf(world: World, { id, channel }: MessageState): ChannelState | undefined {
  const thread = world.state.channels.find((other) => other.id === id && other.kind === 'thread');
  return thread?.parent === channel ? thread : undefined;
}

/** Whether the bot may do this here. In DMs it may do everything but start threads. */
export function may(world: World, channel: ChannelState, permission: Permission): boolean {
  if (channel.kind === 'dm') return permission !== 'CREATE_PUBLIC_THREADS';
  const parent = channel.parent === null ? undefined : findChannel(world, channel.parent);
  return !(parent ?? channel).denied.includes(permission);
}

/** The bot's permissions in a channel, as Discord's decimal string. */
export function permissionsIn(world: World, channel: ChannelState): string {
  const held = Object.entries(PermissionBits).filter(([name]) => may(world, channel, name as Permission));
  return held.reduce((sum, [, bit]) => sum | bit, 0n).toString();
}

export function authorOf(person: Person): Author {
  const { id, username, globalName } = person;
  return { id, username, globalName, bot: false, webhook: false };
}

/** A channel record as it is when just created. */
export function newChannel(
  id: string,
  kind: ChannelKind,
  name: string,
  extra: Partial<ChannelState> = {},
): ChannelState {
  const createdAt = extra.createdAt ?? 0;
  const base = { id, kind, name, parent: null, recipient: null, denied: [], lastMessage: null, thread: null };
  return { ...base, ...extra, createdAt };
}

/** The town every test starts in: one guild, four people, channels with and without permissions, a DM each. */
export function newState(
  token: string | undefined,
  now: number,
  crowd: { readonly people: number; readonly channels: number } = { people: 0, channels: 0 },
): DiscordState {
  let lastId = nextSnowflake('0', now - 86_400_000);
  const id = (): string => (lastId = nextSnowflake(lastId, now - 86_400_000));
  const guild = { id: id(), name: 'Footnote Test Guild', botRole: id(), role: id() };
  const people = [
    { id: id(), username: 'ada', globalName: 'Ada', refusesDms: false },
    { id: id(), username: 'grace', globalName: 'Grace', refusesDms: false },
    { id: id(), username: 'linus', globalName: 'Linus', refusesDms: false },
    { id: id(), username: 'hermit', globalName: 'Hermit', refusesDms: true },
    ...Array.from({ length: crowd.people }, (_, n) => ({
      id: id(),
      username: `person-${n}`,
      globalName: `Person ${n}`,
      refusesDms: false,
    })),
  ];
  const text = (name: string, denied: readonly Permission[] = []): ChannelState =>
    newChannel(id(), 'text', name, { denied, createdAt: now });
  const channels = [
    text('general'),
    text('random'),
    text('no-threads', ['CREATE_PUBLIC_THREADS']),
    text('read-only', ['SEND_MESSAGES', 'SEND_MESSAGES_IN_THREADS', 'CREATE_PUBLIC_THREADS']),
    text('hidden', ['VIEW_CHANNEL']),
    newChannel(id(), 'forum', 'help-forum', { createdAt: now }),
    ...Array.from({ length: crowd.channels }, (_, n) => text(`channel-${n}`)),
    ...people.map((person) =>
      newChannel(id(), 'dm', `@${person.username}`, { recipient: person.id, createdAt: now }),
    ),
  ];
  const applicationId = id();
  const botUser = { id: applicationId, username: 'footnote', globalName: null, bot: true, webhook: false };
  const empty = { messages: {}, interactions: [], commands: { global: [] } };
  return {
    version: 1,
    token: token ?? tokenFor(applicationId),
    applicationId,
    botUser,
    guild,
    people,
    channels,
    ...empty,
    lastId,
  };
}

/** A token of the real shape. It must not begin with "bot": discord.js strips that. */
function tokenFor(applicationId: string): string {
  return `${Buffer.from(applicationId).toString('base64url')}.GfOoTn.${'stand-in-token-'.repeat(3).slice(0, 38)}`;
}
