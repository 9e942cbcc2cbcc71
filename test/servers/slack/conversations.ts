/** conversations.*, users.info, reactions.*: reading, and marking. */
import { type Args, text } from './arguments.ts';
import { readableChannel, writableChannel } from './content.ts';
import { type Context, type Method, showMessage } from './context.ts';
import { channelPayload, type Payload, userPayload } from './payloads.ts';
import { SlackError, type StoredMessage } from './types.ts';
import { BOT, dmId, findChannel, findPerson } from './world.ts';

const LIMIT_MAX = 999;

export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.replies'(args, context) {
    const channel = readableChannel(args['channel']);
    const ts = text(args, 'ts') ?? '';
    const stored = context.store.messages.find((one) => one.channel === channel.id && one.ts === ts);
    if (stored === undefined) throw new SlackError('thread_not_found');
    const replies = context.store.replies(channel.id, ts).filter(inRange(args));
    // The root leads the first page whatever the range is.
    return page(args, context, [stored, ...replies]);
  },

  'conversations.history'(args, context) {
    const channel = readableChannel(args['channel']);
    const top = context.store.messages
      .filter((one) => one.channel === channel.id && (one.threadTs === null || one.broadcast))
      .filter(inRange(args));
    return page(args, context, top.toReversed());
  },

  'conversations.info'(args) {
    const channel = findChannel(args['channel']);
    if (channel === undefined) throw new SlackError('channel_not_found');
    return { channel: channelPayload(channel) };
  },

  'conversations.open'(args) {
    const users = (text(args, 'users') ?? '').split(',').filter((user) => user !== '');
    if (users.length > 1) throw new SlackError('method_not_supported_for_channel_type', 'one user at a time');
    const channel = findChannel(users.length === 1 ? dmId(users[0] ?? '') : args['channel']);
    if (channel === undefined)
      throw new SlackError(users.length === 1 ? 'user_not_found' : 'channel_not_found');
    return { no_op: true, already_open: true, channel: { id: channel.id } };
  },

  'users.info'(args) {
    const user = args['user'] === BOT.user ? 'bot' : findPerson(args['user']);
    if (user === undefined) throw new SlackError('user_not_found');
    return { user: userPayload(user) };
  },

  'reactions.add'(args, context) {
    const { message, name } = reactionTarget(args, context);
    const found = message.reactions.find((reaction) => reaction.name === name);
    if (found?.users.includes(BOT.user)) throw new SlackError('already_reacted');
    if (found === undefined) message.reactions.push({ name, users: [BOT.user] });
    else found.users.push(BOT.user);
    context.store.changed();
    return {};
  },

  'reactions.remove'(args, context) {
    const { message, name } = reactionTarget(args, context);
    const found = message.reactions.find((reaction) => reaction.name === name);
    if (found === undefined || !found.users.includes(BOT.user)) throw new SlackError('no_reaction');
    found.users = found.users.filter((user) => user !== BOT.user);
    message.reactions = message.reactions.filter((reaction) => reaction.users.length > 0);
    context.store.changed();
    return {};
  },
};

function reactionTarget(args: Args, { store }: Context): { message: StoredMessage; name: string } {
  const channel = writableChannel(args['channel']);
  const name = text(args, 'name') ?? '';
  if (!/^[a-z0-9_+'-]+$/.test(name)) throw new SlackError('invalid_name');
  const message = store.find(channel.id, text(args, 'timestamp') ?? '');
  if (message === undefined) throw new SlackError('message_not_found');
  return { message, name };
}

function inRange(args: Args): (message: StoredMessage) => boolean {
  const oldest = Number(text(args, 'oldest') ?? 0);
  const latest = Number(text(args, 'latest') ?? Number.POSITIVE_INFINITY);
  const inclusive = args['inclusive'] === true;
  return ({ ts }) => {
    const at = Number(ts);
    return inclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
  };
}

function page(args: Args, context: Context, messages: readonly StoredMessage[]): Payload {
  const limit = typeof args['limit'] === 'number' ? args['limit'] : 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) throw new SlackError('invalid_limit');
  const cursor = text(args, 'cursor');
  const start = cursor === undefined || cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString());
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  const end = start + limit;
  const more = end < messages.length;
  return {
    messages: messages.slice(start, end).map((message) => ({
      ...showMessage(context, message),
      ...(args['include_all_metadata'] === true && message.metadata !== null
        ? { metadata: message.metadata }
        : {}),
    })),
    has_more: more,
    ...(more ? { response_metadata: { next_cursor: Buffer.from(String(end)).toString('base64') } } : {}),
  };
}
