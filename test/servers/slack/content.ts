/** Checks shared by the methods that write: where, and what. */
import type { Args } from './arguments.ts';
import { text } from './arguments.ts';
import { checkBlocks, isObject } from './blocks.ts';
import type { Context } from './context.ts';
import { type Block, type Channel, type Metadata, SlackError, type StoredMessage } from './types.ts';
import { BOT, findChannel, hasBot } from './world.ts';

/** `markdown_text`, per call. */
export const MARKDOWN_MAX = 12_000;
const METADATA_MAX = 8000;

/** @throws {SlackError} `channel_not_found`, `is_archived` (or `archived` as given), `not_in_channel` */
export function writableChannel(id: unknown, archived = 'is_archived'): Channel {
  const channel = readableChannel(id);
  if (channel.archived) throw new SlackError(archived);
  return channel;
}

/** @throws {SlackError} `channel_not_found`, `not_in_channel` */
export function readableChannel(id: unknown): Channel {
  const channel = findChannel(id);
  if (channel === undefined) throw new SlackError('channel_not_found');
  if (!hasBot(channel)) throw new SlackError('not_in_channel');
  return channel;
}

/** A root to reply to. @throws {SlackError} `thread_not_found`, `cannot_reply_to_message` for a reply's own ts. */
export function threadRoot({ store }: Context, channel: Channel, args: Args): string | null {
  const ts = text(args, 'thread_ts');
  if (ts === undefined) return null;
  const isTombstone = store.replies(channel.id, ts).length > 0;
  const root = store.find(channel.id, ts);
  if (root === undefined && !isTombstone) throw new SlackError('thread_not_found');
  if (root?.threadTs) throw new SlackError('cannot_reply_to_message');
  return ts;
}

/** Our own message. @throws {SlackError} `message_not_found`, or `refusal` when it is somebody else's. */
export function ownMessage({ store }: Context, channel: Channel, args: Args, refusal: string): StoredMessage {
  const message = store.find(channel.id, text(args, 'ts') ?? '');
  if (message === undefined) throw new SlackError('message_not_found');
  if (message.botId !== BOT.id) throw new SlackError(refusal);
  return message;
}

export interface Content {
  readonly text: string;
  readonly markdown: string | null;
  readonly blocks: readonly Block[];
}

/**
 * `text`, `blocks` or `markdown_text`, the last one alone. `longest` is what happens to longer `text`.
 * @throws {SlackError} `no_text`, `markdown_text_conflict`, `msg_too_long`, those of blocks
 */
export function checkContent(
  args: Args,
  longest: { readonly max: number; readonly truncate: boolean },
): Content {
  const markdown = text(args, 'markdown_text') ?? null;
  const body = text(args, 'text') ?? '';
  if (args['attachments'] !== undefined) throw new SlackError('invalid_attachments', 'not supported here');
  if (markdown !== null && (args['text'] !== undefined || args['blocks'] !== undefined))
    throw new SlackError('markdown_text_conflict');
  if (markdown !== null && markdown.length > MARKDOWN_MAX) throw new SlackError('msg_too_long');
  const blocks = checkBlocks(args['blocks']);
  if (!markdown && body === '' && blocks.length === 0) throw new SlackError('no_text');
  if (body.length > longest.max && !longest.truncate) throw new SlackError('msg_too_long');
  return { text: body.slice(0, longest.max), markdown, blocks };
}

/** Undefined when not given, null for `{}` (removes it). @throws {SlackError} `invalid_metadata_format`, `metadata_too_large` */
export function checkMetadata(args: Args): Metadata | null | undefined {
  const value = args['metadata'];
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new SlackError('invalid_metadata_format');
  if (Object.keys(value).length === 0) return null;
  const { event_type: type, event_payload: payload, ...others } = value;
  if (typeof type !== 'string' || type === '' || !isObject(payload) || Object.keys(others).length > 0)
    throw new SlackError('invalid_metadata_format');
  if (JSON.stringify(value).length > METADATA_MAX) throw new SlackError('metadata_too_large');
  return { event_type: type, event_payload: payload };
}
