import { DiscordError, invalidField } from './errors.ts';
import { BOT_DEFAULT } from './mentions.ts';
import { addMessage, dispatchThread, setArchived, startThread } from './messages.ts';
import { channelPayload, messagePayload } from './payloads.ts';
import { type Answer, channelOf, messageOf, type Request, type Route, snowflake } from './routing.ts';
import type { ChannelState } from './state.ts';
import { checkFiles, checkMessage, Flags, isEmpty, type MessageBody, validate } from './validation.ts';
import { may, threadOf, type World } from './world.ts';

/** A guild's own limit. */
const MAX_ACTIVE_THREADS = 1000;
const DEFAULT_AUTO_ARCHIVE_MINUTES = 4320;

export const channelRoutes: readonly Route[] = [
  { method: 'GET', template: '/channels/:channel', handle: getChannel },
  { method: 'PATCH', template: '/channels/:channel', handle: editThread },
  { method: 'DELETE', template: '/channels/:channel', handle: deleteChannel },
  { method: 'POST', template: '/channels/:channel/typing', handle: typing },
  { method: 'POST', template: '/channels/:channel/threads', handle: createThread },
  { method: 'POST', template: '/channels/:channel/messages/:message/threads', handle: threadFromMessage },
  {
    method: 'PUT',
    template: '/channels/:channel/thread-members/@me',
    handle: (request) => membership(request, true),
  },
  {
    method: 'DELETE',
    template: '/channels/:channel/thread-members/@me',
    handle: (request) => membership(request, false),
  },
  { method: 'GET', template: '/guilds/:guild/threads/active', handle: activeThreads },
];

function getChannel(request: Request): Answer {
  return { status: 200, body: channelPayload(request.world, channelOf(request)) };
}

interface ThreadBody {
  readonly name: string;
  readonly auto_archive_duration?: number | null;
  readonly message?: MessageBody;
}

function threadFromMessage(request: Request): Answer {
  const { world } = request;
  const parent = channelOf(request);
  if (parent.kind !== 'text') throw new DiscordError(50024);
  const starter = messageOf(request, parent);
  const body = validate('threadFromMessage', request.body) as unknown as ThreadBody;
  checkMayStart(world, parent);
  if (threadOf(world, starter)) throw new DiscordError(160004);
  if (starter.type === 18 || starter.type === 21) throw new DiscordError(50021);
  const thread = startThread(world, { parent, starter, ...common(world, body) });
  return { status: 201, body: channelPayload(world, thread) };
}

/** A thread of its own in a text channel, or a post in a forum. */
function createThread(request: Request): Answer {
  const { world, files } = request;
  const parent = channelOf(request);
  if (parent.kind !== 'text' && parent.kind !== 'forum') throw new DiscordError(50024);
  const isForum = parent.kind === 'forum';
  const body = validate(isForum ? 'post' : 'thread', request.body) as unknown as ThreadBody;
  if (!isForum) {
    checkMayStart(world, parent);
    const thread = startThread(world, { parent, starter: null, ...common(world, body) });
    return { status: 201, body: channelPayload(world, thread) };
  }
  if (!may(world, parent, 'SEND_MESSAGES')) throw new DiscordError(50013);
  const first = body.message ?? {};
  checkMessage(first, Flags.suppressEmbeds | Flags.suppressNotifications | Flags.componentsV2);
  checkFiles(files);
  if (isEmpty(first, files)) throw new DiscordError(50006);
  const thread = startThread(world, { parent, starter: null, ...common(world, body) });
  const message = addMessage(world, {
    channel: thread,
    author: world.state.botUser,
    content: first.content ?? '',
    allowed: first.allowed_mentions ?? BOT_DEFAULT,
    embeds: first.embeds ?? [],
    components: first.components ?? [],
    flags: first.flags ?? 0,
  });
  const shown = messagePayload(world, message, world.messageContentAllowed);
  return { status: 201, body: { ...channelPayload(world, thread), message: shown } };
}

function common(
  world: World,
  body: ThreadBody,
): Pick<Parameters<typeof startThread>[1], 'name' | 'owner' | 'autoArchiveMinutes'> {
  const autoArchiveMinutes = body.auto_archive_duration ?? DEFAULT_AUTO_ARCHIVE_MINUTES;
  return { name: body.name, owner: world.state.botUser, autoArchiveMinutes };
}

function checkMayStart(world: World, parent: ChannelState): void {
  if (!may(world, parent, 'CREATE_PUBLIC_THREADS')) throw new DiscordError(50013);
  const active = world.state.channels.filter(({ thread }) => thread?.archived === false);
  if (active.length >= MAX_ACTIVE_THREADS) throw new DiscordError(160006);
}

interface ThreadEdit {
  readonly archived?: boolean | null;
  readonly locked?: boolean | null;
  readonly name?: string | null;
  readonly auto_archive_duration?: number | null;
}

/** The bot has no MANAGE_THREADS: it may bring a thread back, and change the ones it started. */
function editThread(request: Request): Answer {
  const { world } = request;
  const channel = channelOf(request);
  const { thread } = channel;
  if (!thread) throw new DiscordError(channel.kind === 'dm' ? 50024 : 50013);
  const { archived, locked, name, auto_archive_duration } = validate(
    'threadEdit',
    request.body,
  ) as ThreadEdit;
  if (name === '')
    throw invalidField(['name'], 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 100 in length.');
  const isOwner = thread.owner === world.state.botUser.id;
  const isOnlyUnarchiving = archived === false && locked === undefined && name === undefined;
  if (thread.locked || typeof locked === 'boolean') throw new DiscordError(50013);
  const mayUnarchive = isOnlyUnarchiving && may(world, channel, 'SEND_MESSAGES_IN_THREADS');
  if (!isOwner && !mayUnarchive) throw new DiscordError(50013);
  if (thread.archived && archived !== false) throw new DiscordError(50083);
  const isChanged = typeof name === 'string' || typeof auto_archive_duration === 'number';
  channel.name = name ?? channel.name;
  thread.autoArchiveMinutes = auto_archive_duration ?? thread.autoArchiveMinutes;
  if (isChanged) dispatchThread(world, 'THREAD_UPDATE', channel);
  if (typeof archived === 'boolean') setArchived(world, channel, { archived });
  return { status: 200, body: channelPayload(world, channel) };
}

/** Deleting needs MANAGE_CHANNELS or MANAGE_THREADS, which the bot does not have; a DM is only closed. */
function deleteChannel(request: Request): Answer {
  const channel = channelOf(request);
  if (channel.kind !== 'dm') throw new DiscordError(50013);
  return { status: 200, body: channelPayload(request.world, channel) };
}

function typing(request: Request): Answer {
  const channel = channelOf(request);
  const permission = channel.kind === 'thread' ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES';
  if (channel.kind === 'forum') throw new DiscordError(50024);
  if (!may(request.world, channel, permission)) throw new DiscordError(50013);
  request.world.touch();
  return { status: 204 };
}

function membership(request: Request, joined: boolean): Answer {
  const channel = channelOf(request);
  if (!channel.thread) throw new DiscordError(50024);
  if (channel.thread.archived) throw new DiscordError(50083);
  channel.thread.joined = joined;
  return { status: 204 };
}

function activeThreads({ world, params }: Request): Answer {
  if (snowflake(params['guild']) !== world.state.guild.id) throw new DiscordError(10004);
  const threads = world.state.channels
    .filter((channel) => channel.thread?.archived === false && may(world, channel, 'VIEW_CHANNEL'))
    .map((channel) => channelPayload(world, channel))
    .reverse();
  const members = threads.map(({ member }) => member).filter((member) => member !== undefined);
  return { status: 200, body: { threads, members } };
}
