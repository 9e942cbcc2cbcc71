/**
 * files.*: an upload is announced, its bytes go to an address of their own, then it is completed: shared at once, or left
 * private until a message of its owner links to it.
 */
import { randomUUID } from 'node:crypto';
import { type Args, text } from './arguments.ts';
import { checkBlocks, isObject } from './blocks.ts';
import { readableChannel, threadRoot, writableChannel } from './content.ts';
import type { Context, Method } from './context.ts';
import { messagePosted } from './events.ts';
import { filePayload, type Payload } from './payloads.ts';
import { freshMessage } from './store.ts';
import { type Block, type Channel, SlackError, type StoredFile } from './types.ts';
import { BOT, TEAM } from './world.ts';

export interface Files {
  readonly uploads: Upload[];
  /** What people have shared, by path. */
  readonly shared: Map<string, { readonly bytes: Uint8Array | null; readonly type: string }>;
  /** Takes the bytes sent to an upload address; a string is why they are refused. */
  receive(path: string, bytes: Buffer): string | null;
}

interface Upload {
  readonly id: string;
  readonly name: string;
  readonly length: number;
  readonly path: string;
  title: string;
  bytes: Buffer | null;
  isComplete: boolean;
  readonly channels: Set<string>;
}

const MOST_CHANNELS = 100;

export function createFiles(): Files {
  const uploads: Upload[] = [];
  return {
    uploads,
    shared: new Map(),
    receive(path, bytes) {
      const upload = uploads.find((one) => one.path === path);
      if (upload === undefined) return 'no such upload';
      if (upload.isComplete) return 'already complete';
      // What the real address says to another length than announced is not known: here it is a fault.
      if (bytes.length !== upload.length) return `announced ${upload.length} bytes, got ${bytes.length}`;
      upload.bytes = bytes;
      return null;
    },
  };
}

export const fileMethods: Readonly<Record<string, Method>> = {
  'files.getUploadURLExternal'(args, { files, origin }) {
    const length = args['length'];
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 1)
      throw new SlackError('missing_argument');
    if ((text(args, 'alt_txt') ?? '').length > 1_000) throw new SlackError('alt_txt_too_large');
    const name = text(args, 'filename') ?? '';
    const id = `F0${randomUUID().replaceAll('-', '').slice(0, 9).toUpperCase()}`;
    const path = `/upload/v1/${randomUUID()}`;
    files.uploads.push({
      id,
      name,
      length,
      path,
      title: name,
      bytes: null,
      isComplete: false,
      channels: new Set(),
    });
    return { upload_url: `${origin}${path}`, file_id: id };
  },

  'files.completeUploadExternal'(args, context) {
    const uploads = namedUploads(args, context);
    const channels = destinations(args);
    const threadTs = text(args, 'thread_ts');
    if (threadTs !== undefined && channels.length !== 1)
      throw new SlackError('invalid_arguments', 'thread_ts');
    const roots = channels.map((channel) => threadRoot(context, channel, args));
    const comment = text(args, 'initial_comment') ?? '';
    const blocks = comment === '' ? checkBlocks(args['blocks']) : [];
    // Reported of the real one (python-slack-sdk#1756): it takes sections, but no `markdown` block.
    if (blocks.some(({ type }) => type === 'markdown')) throw new SlackError('internal_error');
    for (const { upload, title } of uploads) Object.assign(upload, { title, isComplete: true });
    for (const [index, channel] of channels.entries())
      announce(
        context,
        channel,
        uploads.map(({ upload }) => upload),
        { text: comment, blocks, threadTs: roots[index] ?? null },
      );
    // The sharing is asynchronous: the answer names neither the message nor where it is.
    return { files: uploads.map(({ upload }) => uploadPayload(upload, false)) };
  },

  'files.info'(args, { files }) {
    const upload = files.uploads.find(({ id, isComplete }) => isComplete && id === args['file']);
    if (upload === undefined) throw new SlackError('file_not_found');
    return { file: uploadPayload(upload, true), comments: [], response_metadata: { next_cursor: '' } };
  },
};

/**
 * The files that a message of the bot shares because it links to them: a private file of its owner's, linked in `text`
 * and, where there are blocks, in a `mrkdwn` text of theirs. Not under a name of its own (node-slack-sdk#1595). Nobody
 * tells what happens without previews: here nothing is shared then.
 */
export function linkedFiles({ files }: Context, channel: Channel, args: Args): readonly StoredFile[] {
  if (args['username'] !== undefined || args['unfurl_media'] === false) return [];
  const places = [text(args, 'text') ?? ''];
  if (Array.isArray(args['blocks'])) places.push(mrkdwnTexts(args['blocks']).join('\n'));
  const linked = files.uploads.filter(
    (upload) => upload.isComplete && places.every((place) => place.includes(filePermalink(upload))),
  );
  for (const upload of linked) upload.channels.add(channel.id);
  return linked.map(storedFile);
}

function announce(
  context: Context,
  channel: Channel,
  uploads: readonly Upload[],
  what: { readonly text: string; readonly blocks: readonly Block[]; readonly threadTs: string | null },
): void {
  const ts = context.store.nextTs();
  const files = uploads.map(storedFile);
  const message = freshMessage({ ts, channel: channel.id, user: BOT.user, botId: BOT.id, files, ...what });
  for (const upload of uploads) upload.channels.add(channel.id);
  context.store.add(message);
  messagePosted(context, message);
}

function namedUploads(args: Args, { files }: Context): { readonly upload: Upload; readonly title: string }[] {
  const named = args['files'];
  if (!Array.isArray(named) || named.length === 0) throw new SlackError('invalid_arguments', 'files');
  return named.map((entry: unknown) => {
    if (!isObject(entry) || typeof entry['id'] !== 'string')
      throw new SlackError('invalid_arguments', 'files');
    const upload = files.uploads.find(({ id }) => id === entry['id']);
    // Completing the same upload twice has not been seen to fail.
    if (upload === undefined || upload.bytes === null) throw new SlackError('file_not_found');
    return { upload, title: typeof entry['title'] === 'string' ? entry['title'] : upload.title };
  });
}

function destinations(args: Args): readonly Channel[] {
  const list = (text(args, 'channels') ?? '').split(',').filter((id) => id !== '');
  const ids = [
    ...new Set([...list, ...(text(args, 'channel_id') === undefined ? [] : [args['channel_id']])]),
  ];
  if (ids.length > MOST_CHANNELS) throw new SlackError('channels_limit_exceeded');
  for (const id of ids) readableChannel(id);
  return ids.map((id) => writableChannel(id, 'posting_to_channel_denied'));
}

function mrkdwnTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(mrkdwnTexts);
  if (!isObject(value)) return [];
  const { type, text: own } = value;
  return type === 'mrkdwn' && typeof own === 'string' ? [own] : Object.values(value).flatMap(mrkdwnTexts);
}

/** Where people open a file of the bot's. */
export function filePermalink({ id, name }: Pick<StoredFile, 'id' | 'name'>): string {
  return `https://${TEAM.domain}.slack.com/files/${BOT.user}/${id}/${encodeURIComponent(name)}`;
}

function storedFile(upload: Upload): StoredFile {
  const { id, name, length: size, bytes } = upload;
  const mimetype = name.endsWith('.md') ? 'text/markdown' : 'text/plain';
  return { id, name, mimetype, size, content: bytes?.toString('utf8') ?? '' };
}

/** Right after the completion Slack knows neither type nor shares yet. */
function uploadPayload(upload: Upload, isSettled: boolean): Payload {
  return {
    ...filePayload(storedFile(upload)),
    title: upload.title,
    user: BOT.user,
    mode: 'hosted',
    is_public: false,
    permalink: filePermalink(upload),
    channels: isSettled ? [...upload.channels] : [],
    ...(isSettled ? {} : { mimetype: '', filetype: '' }),
    shares: isSettled ? { public: Object.fromEntries([...upload.channels].map((id) => [id, []])) } : {},
  };
}
