import { DiscordError, invalidField } from './errors.ts';
import { BOT_DEFAULT } from './mentions.ts';
import { addMessage, changeMessage, dispatchMessage, react, removeMessage } from './messages.ts';
import { messagePayload } from './payloads.ts';
import type { UploadedFile } from './recording.ts';
import { type Answer, channelOf, messageOf, type Request, type Route, snowflake } from './routing.ts';
import type { AttachmentState, ChannelState, MessageState } from './state.ts';
import { checkFiles, checkMessage, Flags, isEmpty, type MessageBody, validate } from './validation.ts';
import { findMessage, findPerson, may, type World } from './world.ts';

const HOUR_MS = 3_600_000;
/** How many edits an hour-old message takes. Discord has the limit (30046) but not its number; a few, to be safe. */
const MAX_LATE_EDITS = 5;
/** "The past few minutes", as the documentation of nonces has it. */
const NONCE_MS = 5 * 60_000;
const MAX_REACTIONS = 20;
/** Message types that cannot be edited or replied to as ordinary ones: the thread notices. */
const SYSTEM_TYPES = [18, 21];

const ON_CREATE = Flags.suppressEmbeds | Flags.suppressNotifications | Flags.isVoice | Flags.componentsV2;
const ON_EDIT = Flags.suppressEmbeds | Flags.componentsV2;

export const messageRoutes: readonly Route[] = [
  { method: 'GET', template: '/channels/:channel/messages', handle: listMessages },
  { method: 'POST', template: '/channels/:channel/messages', handle: createMessage },
  { method: 'GET', template: '/channels/:channel/messages/:message', handle: getMessage },
  { method: 'PATCH', template: '/channels/:channel/messages/:message', handle: editMessage },
  { method: 'DELETE', template: '/channels/:channel/messages/:message', handle: deleteMessage },
  {
    method: 'PUT',
    template: '/channels/:channel/messages/:message/reactions/:emoji/@me',
    handle: (request) => reaction(request, true),
  },
  {
    method: 'DELETE',
    template: '/channels/:channel/messages/:message/reactions/:emoji/@me',
    handle: (request) => reaction(request, false),
  },
];

function read(world: World, message: MessageState): object {
  return messagePayload(world, message, world.messageContentAllowed);
}

function createMessage(request: Request): Answer {
  const { world, files } = request;
  const channel = channelOf(request);
  const body = validate('message', request.body) as MessageBody;
  checkMaySend(world, channel);
  if (files.length > 0 && !may(world, channel, 'ATTACH_FILES')) throw new DiscordError(50013);
  checkMessage(body, ON_CREATE);
  checkFiles(files);
  if (isEmpty(body, files)) throw new DiscordError(50006);
  const earlier = body.enforce_nonce ? sameNonce(world, body.nonce) : undefined;
  if (earlier) return { status: 200, body: read(world, earlier) };
  const message = addMessage(world, {
    channel,
    author: world.state.botUser,
    content: body.content ?? '',
    allowed: body.allowed_mentions ?? BOT_DEFAULT,
    embeds: body.embeds ?? [],
    components: body.components ?? [],
    attachments: files.map((file) => toAttachment(world, file)),
    flags: body.flags ?? 0,
    reference: referenceOf(world, channel, body),
    nonce: body.nonce ?? null,
  });
  return { status: 200, body: read(world, message) };
}

/** Whether the bot can post here. @throws {DiscordError} 50008, 50007, 160005, 50013 */
function checkMaySend(world: World, channel: ChannelState): void {
  if (channel.kind === 'forum') throw new DiscordError(50008);
  if (findPerson(world, channel.recipient ?? '')?.refusesDms) throw new DiscordError(50007);
  if (channel.thread?.locked) throw new DiscordError(160005);
  const permission = channel.kind === 'thread' ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES';
  if (!may(world, channel, permission)) throw new DiscordError(50013);
}

/** The bot's message with this nonce, wherever it posted it, of the last minutes. */
function sameNonce(world: World, nonce: string | number | null | undefined): MessageState | undefined {
  if (nonce === undefined || nonce === null) return undefined;
  const since = world.now() - NONCE_MS;
  return Object.values(world.state.messages)
    .flat()
    .find(
      (message) =>
        message.nonce === nonce && message.createdAt > since && message.author.id === world.state.botUser.id,
    );
}

function referenceOf(world: World, channel: ChannelState, body: MessageBody): MessageState['reference'] {
  const reference = body.message_reference;
  if (!reference) return null;
  const field = ['message_reference'];
  const isElsewhere = typeof reference.channel_id === 'string' && reference.channel_id !== channel.id;
  if (isElsewhere) {
    throw invalidField(
      field,
      'REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL',
      'Cannot reply to a message elsewhere',
    );
  }
  if (!may(world, channel, 'READ_MESSAGE_HISTORY')) throw new DiscordError(160002);
  const target = findMessage(world, channel.id, reference.message_id);
  if (!target && reference.fail_if_not_exists === false) return null;
  if (!target) throw invalidField(field, 'REPLYING_UNKNOWN_MESSAGE', 'Unknown message');
  if (SYSTEM_TYPES.includes(target.type)) {
    throw invalidField(field, 'REPLIES_CANNOT_REFERENCE_SYSTEM_MESSAGE', 'Cannot reply to a system message');
  }
  return { type: 0, channel: channel.id, message: target.id };
}

export function toAttachment(world: World, file: UploadedFile): AttachmentState {
  const { filename, contentType, size, text } = file;
  return { id: world.nextId(), filename, contentType, size, text };
}

function editMessage(request: Request): Answer {
  const { world, files } = request;
  const channel = channelOf(request);
  const message = messageOf(request, channel);
  const body = validate('edit', request.body) as MessageBody;
  const isOwn = message.author.id === world.state.botUser.id;
  if (!isOwn) throw new DiscordError(50005);
  if (SYSTEM_TYPES.includes(message.type)) throw new DiscordError(50021);
  if (channel.thread?.archived) throw new DiscordError(50083);
  applyEdit(world, message, body, files, false);
  return { status: 200, body: read(world, message) };
}

/**
 * Checks and applies an edit by whichever route it came.
 * @param silently the first edit of a deferred response leaves no "(edited)".
 * @throws {DiscordError} 50035, 50006, 30046
 */
export function applyEdit(
  world: World,
  message: MessageState,
  body: MessageBody,
  files: readonly UploadedFile[],
  silently: boolean,
): void {
  const wasV2 = (message.flags & Flags.componentsV2) !== 0;
  checkMessage(body, ON_EDIT, wasV2);
  checkFiles(files);
  const isV2Removed = wasV2 && typeof body.flags === 'number' && (body.flags & Flags.componentsV2) === 0;
  if (isV2Removed) throw invalidField(['flags'], 'FLAGS_INVALID', 'IS_COMPONENTS_V2 cannot be removed.');
  const kept = message.attachments.filter(
    ({ id }) => body.attachments?.some((file) => file.id === id) ?? true,
  );
  const change = {
    ...(body.content === undefined ? {} : { content: body.content ?? '' }),
    ...(body.embeds === undefined ? {} : { embeds: body.embeds ?? [] }),
    ...(body.components === undefined ? {} : { components: body.components ?? [] }),
    attachments: [...kept, ...files.map((file) => toAttachment(world, file))],
    flags: typeof body.flags === 'number' ? (message.flags & ~ON_EDIT) | body.flags : message.flags,
  };
  const { content, embeds, components } = { ...message, ...change };
  const isNothing = isEmpty({ content, embeds, components }, []) && change.attachments.length === 0;
  if (isNothing) throw new DiscordError(50006);
  const isLate = world.now() - message.createdAt > HOUR_MS;
  if (isLate && message.lateEdits >= MAX_LATE_EDITS) throw new DiscordError(30046);
  if (isLate) message.lateEdits += 1;
  changeMessage(world, message, { ...change, allowed: body.allowed_mentions ?? BOT_DEFAULT, silently });
}

function deleteMessage(request: Request): Answer {
  const { world } = request;
  const channel = channelOf(request);
  const message = messageOf(request, channel);
  const isOwn = message.author.id === world.state.botUser.id;
  if (!isOwn) throw new DiscordError(50013);
  if (message.type === 21) throw new DiscordError(50021);
  if (channel.thread?.archived) throw new DiscordError(50083);
  removeMessage(world, message);
  return { status: 204 };
}

function getMessage(request: Request): Answer {
  const channel = channelOf(request);
  checkMayRead(request.world, channel);
  return { status: 200, body: read(request.world, messageOf(request, channel)) };
}

/** Newest first, at most 100, `before`, `after` or `around` an id; `after` gives the ones next to it. */
function listMessages(request: Request): Answer {
  const { world, query } = request;
  const channel = channelOf(request);
  if (channel.kind === 'forum') throw new DiscordError(50008);
  if (!may(world, channel, 'READ_MESSAGE_HISTORY')) return { status: 200, body: [] };
  const limit = Number(query.get('limit') ?? 50);
  const isInRange = Number.isInteger(limit) && limit >= 1 && limit <= 100;
  if (!isInRange) throw invalidField(['limit'], 'NUMBER_TYPE_MAX', 'int value should be between 1 and 100.');
  const all = (world.state.messages[channel.id] ?? []).filter(({ ephemeralTo }) => ephemeralTo === null);
  const page = pageOf(all, limit, query);
  return { status: 200, body: page.reverse().map((message) => read(world, message)) };
}

function pageOf(all: readonly MessageState[], limit: number, query: URLSearchParams): MessageState[] {
  const [before, after, around] = ['before', 'after', 'around'].map((name) => {
    const id = query.get(name);
    return id === null ? null : snowflake(id);
  });
  if (after) return all.filter(({ id }) => BigInt(id) > BigInt(after)).slice(0, limit);
  if (around) {
    const at = all.findIndex(({ id }) => BigInt(id) >= BigInt(around));
    const from = Math.max(0, (at === -1 ? all.length : at) - Math.floor(limit / 2));
    return all.slice(from, from + limit);
  }
  return all.filter(({ id }) => !before || BigInt(id) < BigInt(before)).slice(-limit);
}

function checkMayRead(world: World, channel: ChannelState): void {
  if (!may(world, channel, 'READ_MESSAGE_HISTORY')) throw new DiscordError(50013);
}

function reaction(request: Request, add: boolean): Answer {
  const { world, params } = request;
  const channel = channelOf(request);
  const message = messageOf(request, channel);
  const emoji = params['emoji'] ?? '';
  if (!/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(emoji)) throw new DiscordError(10014);
  if (channel.thread?.archived) throw new DiscordError(50083);
  if (add) {
    checkMayRead(world, channel);
    if (!may(world, channel, 'ADD_REACTIONS')) throw new DiscordError(50013);
    if (message.reactions.length >= MAX_REACTIONS) throw new DiscordError(30010);
  }
  react(world, message, { emoji, user: world.state.botUser.id, add });
  return { status: 204 };
}

/** Sends the message again, as a gateway does that lost track. */
export function redeliver(world: World, messageId: string): void {
  const message = Object.values(world.state.messages)
    .flat()
    .find(({ id }) => id === messageId);
  if (!message) throw new Error(`no message ${messageId}`);
  dispatchMessage(world, 'MESSAGE_CREATE', message);
}
