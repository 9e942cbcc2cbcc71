import type {
  AttachmentState,
  Author,
  ChannelState,
  InteractionState,
  Json,
  MessageState,
  Person,
} from './state.ts';
import {
  authorOf,
  BOT_PERMISSIONS,
  findChannel,
  findMessage,
  findPerson,
  may,
  PermissionBits,
  threadOf,
  type World,
} from './world.ts';

/** Absent keys are left out, as Discord does: discord.js takes a null for a value. */
const HAS_THREAD = 1 << 5;
const IS_CROSSPOST = 1 << 1;
const JOINED = '2026-01-01T00:00:00.000000+00:00';

const ChannelTypes = { text: 0, dm: 1, thread: 11, forum: 15 } as const;

const iso = (ms: number): string => new Date(ms).toISOString().replace('Z', '000+00:00');

export function userPayload(author: Author): Json {
  const { id, username, globalName, bot } = author;
  const user = { id, username, discriminator: '0', global_name: globalName, avatar: null, public_flags: 0 };
  return bot ? { ...user, bot: true } : user;
}

export function memberPayload(world: World, id: string): Json {
  const roles = id === world.state.botUser.id ? [world.state.guild.botRole] : [];
  const flags = { deaf: false, mute: false, flags: 0, pending: false };
  const nick = findPerson(world, id)?.nick ?? null;
  return { roles, joined_at: JOINED, nick, avatar: null, premium_since: null, ...flags };
}

/** The user an id stands for: a person or the bot. */
export function userById(world: World, id: string): Json | undefined {
  if (id === world.state.botUser.id) return userPayload(world.state.botUser);
  const person = findPerson(world, id);
  return person && userPayload(authorOf(person));
}

function usersPayload(world: World, ids: readonly string[]): Json[] {
  return ids.map((id) => userById(world, id)).filter((user) => user !== undefined);
}

export function channelPayload(world: World, channel: ChannelState): Json {
  const { id, name, kind } = channel;
  const base = { id, type: ChannelTypes[kind], last_message_id: channel.lastMessage, flags: 0 };
  if (kind === 'dm') {
    const person = findPerson(world, channel.recipient ?? '');
    return { ...base, recipients: person ? [userPayload(authorOf(person))] : [] };
  }
  if (kind === 'thread') return threadPayload(world, channel, base);
  const denied = channel.denied.reduce((sum, permission) => sum | PermissionBits[permission], 0n);
  const view = PermissionBits.VIEW_CHANNEL.toString();
  const allowed = channel.isPrivate ? view : '0';
  const ours = { id: world.state.botUser.id, type: 1, allow: allowed, deny: denied.toString() };
  const everyone = { id: world.state.guild.id, type: 0, allow: '0', deny: view };
  return {
    ...base,
    guild_id: world.state.guild.id,
    name,
    position: world.state.channels.indexOf(channel),
    permission_overwrites: [
      ...(channel.isPrivate ? [everyone] : []),
      ...(denied === 0n && !channel.isPrivate ? [] : [ours]),
    ],
    nsfw: false,
    topic: null,
    parent_id: null,
    rate_limit_per_user: 0,
    ...(kind === 'forum' ? { available_tags: [], default_sort_order: null, default_forum_layout: 0 } : {}),
  };
}

function threadPayload(world: World, channel: ChannelState, base: Json): Json {
  const thread = channel.thread;
  if (!thread) throw new Error(`thread ${channel.id} has no thread state`);
  const said = (world.state.messages[channel.id] ?? []).filter(({ type }) => type !== 21).length;
  const bot = { id: channel.id, user_id: world.state.botUser.id, join_timestamp: JOINED, flags: 0 };
  return {
    ...base,
    guild_id: world.state.guild.id,
    name: channel.name,
    parent_id: channel.parent,
    owner_id: thread.owner,
    rate_limit_per_user: 0,
    message_count: said,
    total_message_sent: said,
    member_count: thread.joined ? 2 : 1,
    thread_metadata: {
      archived: thread.archived,
      locked: thread.locked,
      auto_archive_duration: thread.autoArchiveMinutes,
      archive_timestamp: iso(thread.archiveAt),
      create_timestamp: iso(channel.createdAt),
    },
    ...(thread.joined ? { member: bot } : {}),
  };
}

/** Discord empties other people's messages for apps without the Message Content intent, with four exceptions. */
function isReadable(world: World, message: MessageState): boolean {
  const isDm = findChannel(world, message.channel)?.kind === 'dm';
  const { id } = world.state.botUser;
  return isDm || message.author.id === id || message.mentions.includes(id);
}

/**
 * A message as REST gives it.
 * @param canRead whether the reader has message content; without it only the exempt messages keep theirs.
 */
export function messagePayload(world: World, message: MessageState, canRead: boolean): Json {
  const shown = canRead || isReadable(world, message);
  const thread = threadOf(world, message);
  return {
    id: message.id,
    channel_id: message.channel,
    type: message.type,
    author: userPayload(message.author),
    content: shown ? message.content : '',
    timestamp: iso(message.createdAt),
    edited_timestamp: message.editedAt === null ? null : iso(message.editedAt),
    tts: false,
    pinned: false,
    mention_everyone: message.mentionEveryone,
    mentions: usersPayload(world, message.mentions),
    mention_roles: message.mentionRoles,
    attachments: shown
      ? message.attachments.map((file) => attachmentPayload(world, message.channel, file))
      : [],
    embeds: shown ? message.embeds : [],
    components: shown ? message.components : [],
    ...(message.stickers?.length && { sticker_items: message.stickers }),
    ...(shown && message.poll && { poll: message.poll }),
    flags: message.flags | (thread ? HAS_THREAD : 0),
    ...(message.nonce === null ? {} : { nonce: message.nonce }),
    ...(thread ? { thread: channelPayload(world, thread) } : {}),
    ...webhookPart(world, message),
    ...referencePart(world, message, canRead, shown),
    ...reactionsPart(world, message),
  };
}

function attachmentPayload(world: World, channel: string, file: AttachmentState): Json {
  // Signed and short-lived, as the real ones are; until a full hour, so that two looks at a message see the same.
  const expires = (Math.ceil((world.now() / 1000 + 86_400) / 3_600) * 3_600).toString(16);
  const path = `/attachments/${channel}/${file.id}/${encodeURIComponent(file.filename)}`;
  const url = `${world.origin()}${path}?ex=${expires}&is=0&hm=0`;
  const { id, filename, size } = file;
  const type = file.contentType === null ? {} : { content_type: file.contentType };
  return { id, filename, size, url, proxy_url: url, ...type, ...file.more };
}

function webhookPart(world: World, message: MessageState): Json {
  if (message.author.webhook) return { webhook_id: message.author.id };
  if (!message.interaction) return {};
  const { id, type, user, name } = message.interaction;
  // A bot's user has the id of its application.
  const applicationId = message.author.id;
  const metadata = { id, type, user: userById(world, user), authorizing_integration_owners: {} };
  const old = name === undefined ? {} : { interaction: { id, type, name, user: userById(world, user) } };
  return { webhook_id: applicationId, application_id: applicationId, interaction_metadata: metadata, ...old };
}

function referencePart(world: World, message: MessageState, canRead: boolean, shown: boolean): Json {
  const reference = message.reference;
  if (!reference) return {};
  const { type, channel, message: id } = reference;
  // Of a forward it is the guild it comes from.
  const isDm = findChannel(world, channel)?.kind === 'dm';
  const guild = isDm ? {} : { guild_id: world.state.guild.id };
  const part = { message_reference: { type, channel_id: channel, message_id: id, ...guild } };
  if (type === 1) {
    const snapshots = message.snapshots.map((snapshot) => ({
      message: {
        type: snapshot.type,
        content: shown ? snapshot.content : '',
        timestamp: iso(snapshot.timestamp),
        edited_timestamp: null,
        flags: snapshot.flags ?? 0,
        mentions: usersPayload(world, snapshot.mentions ?? []),
        mention_roles: [],
        embeds: shown ? (snapshot.embeds ?? []) : [],
        components: shown ? (snapshot.components ?? []) : [],
        ...(snapshot.stickers?.length && { sticker_items: snapshot.stickers }),
        attachments: shown ? snapshot.attachments.map((file) => attachmentPayload(world, channel, file)) : [],
      },
    }));
    return { ...part, message_snapshots: snapshots };
  }
  // Of a message that follows an announcement channel only the address is given.
  if (message.flags & IS_CROSSPOST) return part;
  const target = findMessage(world, channel, id);
  if (!target) return { ...part, referenced_message: null };
  // One level only: what the target itself refers to is not included.
  const { referenced_message: _, ...referenced } = messagePayload(world, target, canRead);
  return { ...part, referenced_message: referenced };
}

function reactionsPart(world: World, message: MessageState): Json {
  if (message.reactions.length === 0) return {};
  const reactions = message.reactions.map(({ emoji, users }) => ({
    emoji: { id: null, name: emoji },
    count: users.length,
    count_details: { burst: 0, normal: users.length },
    burst_colors: [],
    me: users.includes(world.state.botUser.id),
    me_burst: false,
  }));
  return { reactions };
}

/** What a gateway message event carries beyond the message. */
export function messageEventPayload(world: World, message: MessageState, canRead: boolean): Json {
  const channel = findChannel(world, message.channel);
  const type = { channel_type: ChannelTypes[channel?.kind ?? 'text'] };
  const payload = { ...messagePayload(world, message, canRead), ...type };
  if (channel?.kind === 'dm') return payload;
  const member = message.author.webhook ? {} : { member: memberPayload(world, message.author.id) };
  // In a guild the people mentioned come with what the guild knows them by.
  const mentions = message.mentions.flatMap((id) => {
    const user = userById(world, id);
    return user ? [{ ...user, member: memberPayload(world, id) }] : [];
  });
  return { ...payload, mentions, guild_id: world.state.guild.id, ...member };
}

export function guildPayload(world: World): Json {
  const { guild, channels, botUser, people } = world.state;
  const isActive = (channel: ChannelState): boolean =>
    channel.thread?.archived === false && may(world, channel, 'VIEW_CHANNEL');
  const seen = (kind: ChannelState['kind'][]): ChannelState[] =>
    channels.filter((channel) => kind.includes(channel.kind));
  const role = (id: string, name: string, permissions: bigint, managed: boolean): Json => ({
    id,
    name,
    permissions: permissions.toString(),
    managed,
    color: 0,
    hoist: false,
    icon: null,
    position: managed ? 1 : 0,
    mentionable: false,
    flags: 0,
    unicode_emoji: null,
    ...(managed ? { tags: { bot_id: botUser.id } } : {}),
  });
  return {
    ...GUILD_DEFAULTS,
    id: guild.id,
    name: guild.name,
    owner_id: people[0]?.id ?? botUser.id,
    joined_at: JOINED,
    member_count: people.length + 1,
    roles: [
      role(guild.id, '@everyone', BOT_PERMISSIONS, false),
      role(guild.botRole, 'Footnote', BOT_PERMISSIONS, true),
      role(guild.role, 'readers', 0n, false),
    ],
    channels: seen(['text', 'forum']).map((channel) => channelPayload(world, channel)),
    threads: seen(['thread'])
      .filter(isActive)
      .map((channel) => channelPayload(world, channel)),
    members: [{ ...memberPayload(world, botUser.id), user: userPayload(botUser) }],
  };
}

const GUILD_DEFAULTS = {
  icon: null,
  splash: null,
  discovery_splash: null,
  banner: null,
  description: null,
  afk_channel_id: null,
  afk_timeout: 300,
  application_id: null,
  system_channel_id: null,
  system_channel_flags: 0,
  rules_channel_id: null,
  public_updates_channel_id: null,
  hub_type: null,
  safety_alerts_channel_id: null,
  vanity_url_code: null,
  preferred_locale: 'en-US',
  features: [],
  verification_level: 0,
  default_message_notifications: 1,
  explicit_content_filter: 0,
  mfa_level: 0,
  nsfw: false,
  nsfw_level: 0,
  premium_tier: 0,
  premium_subscription_count: 0,
  large: false,
  premium_progress_bar_enabled: false,
  max_members: 5e5,
  max_video_channel_users: 25,
  max_stage_video_channel_users: 50,
  unavailable: false,
  emojis: [],
  stickers: [],
  voice_states: [],
  presences: [],
  stage_instances: [],
  guild_scheduled_events: [],
  soundboard_sounds: [],
};

/** The state of an interaction as callbacks with `with_response` return it. */
export function interactionPayload(interaction: InteractionState, isEphemeral: boolean): Json {
  const { id, type, original, responseType } = interaction;
  const message = original === null ? {} : { response_message_id: original };
  return {
    id,
    type,
    ...message,
    response_message_loading: responseType === 5,
    response_message_ephemeral: isEphemeral,
  };
}

/** A person as the member of the guild who did something. */
export function invokerPayload(world: World, person: Person): Json {
  const user = userPayload(authorOf(person));
  return { ...memberPayload(world, person.id), user, permissions: BOT_PERMISSIONS.toString() };
}
