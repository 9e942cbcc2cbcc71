/** chat.postMessage, update, delete, postEphemeral, getPermalink. */
import { text } from './arguments.ts';
import {
  checkContent,
  checkMetadata,
  ownMessage,
  readableChannel,
  threadRoot,
  writableChannel,
} from './content.ts';
import { type Context, type Method, showMessage } from './context.ts';
import { messageChanged, messageDeleted, messagePosted } from './events.ts';
import { linkedFiles } from './files.ts';
import { freshMessage, isStreaming } from './store.ts';
import { SlackError } from './types.ts';
import { BOT, TEAM } from './world.ts';

const POST_MAX = 40_000;
/** The edit path is far narrower than the post path. */
const UPDATE_MAX = 4000;

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage'(args, context) {
    const channel = writableChannel(args['channel']);
    const threadTs = threadRoot(context, channel, args);
    const broadcast = args['reply_broadcast'] === true;
    if (broadcast && threadTs === null) throw new SlackError('invalid_arguments', 'reply_broadcast');
    const message = freshMessage({
      ts: context.store.nextTs(),
      channel: channel.id,
      user: BOT.user,
      botId: BOT.id,
      threadTs,
      broadcast,
      ...checkContent(args, { max: POST_MAX, truncate: true }),
      metadata: checkMetadata(args) ?? null,
      files: linkedFiles(context, channel, args),
      // Text posted by apps gets no link previews by default, media does.
      unfurls: args['unfurl_links'] === true || args['unfurl_media'] !== false,
    });
    context.store.add(message);
    messagePosted(context, message);
    return { channel: channel.id, ts: message.ts, message: showMessage(context, message) };
  },

  'chat.update'(args, context) {
    const channel = writableChannel(args['channel'], 'is_inactive');
    const message = ownMessage(context, channel, args, 'cant_update_message');
    refuseStreaming(context, message);
    const content = checkContent(args, { max: UPDATE_MAX, truncate: false });
    const metadata = checkMetadata(args);
    const previous = showMessage(context, message);
    Object.assign(message, content, { editedTs: context.store.nextTs() });
    if (metadata !== undefined) message.metadata = metadata;
    context.store.changed();
    messageChanged(context, message, previous);
    return {
      channel: channel.id,
      ts: message.ts,
      text: message.markdown ?? message.text,
      message: showMessage(context, message),
    };
  },

  'chat.delete'(args, context) {
    const channel = writableChannel(args['channel']);
    const message = ownMessage(context, channel, args, 'cant_delete_message');
    const previous = showMessage(context, message);
    context.store.remove(message);
    messageDeleted(context, message, previous);
    return { channel: channel.id, ts: message.ts };
  },

  'chat.postEphemeral'(args, context) {
    const channel = writableChannel(args['channel']);
    const user = text(args, 'user') ?? '';
    if (!channel.members.includes(user)) throw new SlackError('user_not_in_channel');
    const threadTs = threadRoot(context, channel, args);
    const content = checkContent(args, { max: POST_MAX, truncate: true });
    const ts = context.store.nextTs();
    context.store.ephemerals.push({
      ts,
      channel: channel.id,
      user,
      text: content.markdown ?? content.text,
      blocks: content.blocks,
      threadTs,
      from: 'bot',
    });
    context.store.changed();
    return { message_ts: ts };
  },

  'chat.getPermalink'(args, context) {
    const channel = readableChannel(args['channel']);
    const ts = text(args, 'message_ts') ?? '';
    const message = context.store.find(channel.id, ts);
    if (message === undefined) throw new SlackError('message_not_found');
    const page = `https://${TEAM.domain}.slack.com/archives/${channel.id}/p${ts.replace('.', '')}`;
    const inThread = message.threadTs === null ? '' : `?thread_ts=${message.threadTs}&cid=${channel.id}`;
    return { channel: channel.id, permalink: page + inThread };
  },
};

function refuseStreaming(context: Context, message: Parameters<typeof isStreaming>[0]): void {
  if (isStreaming(message, context.streamMaxAgeMs, Date.now()))
    throw new SlackError('streaming_state_conflict');
}
