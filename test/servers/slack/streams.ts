/** chat.startStream, appendStream, stopStream with their caps and their limited life. */
import { type Args, text } from './arguments.ts';
import { checkBlocks, flattenBlocks, isObject } from './blocks.ts';
import { checkMetadata, MARKDOWN_MAX, ownMessage, threadRoot, writableChannel } from './content.ts';
import { type Context, type Method, showMessage } from './context.ts';
import { messageChanged, messagePosted } from './events.ts';
import { setSession } from './status.ts';
import { freshMessage, isStreaming } from './store.ts';
import { type Block, type Channel, SlackError, type StoredMessage, type Task } from './types.ts';
import { BOT, findPerson } from './world.ts';

/** Cumulative, task JSON included; undocumented, measured by others at about 12,000. */
const STREAM_MAX = 12_000;
const BLOCKS_MAX = 50;
const TASK_STATUSES = new Set(['pending', 'in_progress', 'complete', 'error']);

type Stream = NonNullable<StoredMessage['stream']>;

export const streamMethods: Readonly<Record<string, Method>> = {
  'chat.startStream'(args, context) {
    const channel = writableChannel(args['channel']);
    const threadTs = threadRoot(context, channel, args);
    checkRecipient(args, channel);
    const additions = readAdditions(args);
    const stream: Stream = { startedAt: Date.now(), chars: 0, open: true, tasks: [] };
    const message = freshMessage({
      ts: context.store.nextTs(),
      channel: channel.id,
      user: BOT.user,
      botId: BOT.id,
      threadTs,
      markdown: '',
      stream,
    });
    append(message, stream, additions);
    context.store.add(message);
    messagePosted(context, message);
    return { channel: channel.id, ts: message.ts };
  },

  'chat.appendStream'(args, context) {
    const { channel, message, stream } = openStream(args, context);
    if (args['markdown_text'] === undefined && args['chunks'] === undefined)
      throw new SlackError('invalid_arguments', '[ERROR] markdown_text or chunks is required');
    append(message, stream, readAdditions(args));
    context.store.changed();
    return { channel: channel.id, ts: message.ts };
  },

  'chat.stopStream'(args, context) {
    const { channel, message, stream } = openStream(args, context);
    const status = text(args, 'session_status');
    const metadata = checkMetadata(args);
    const additions = readAdditions(args);
    const length = (message.markdown ?? '').length + additions.text.length;
    const blocks = checkBlocks(args['blocks'], length + flattenBlocks(message.blocks).length);
    const previous = showMessage(context, message);
    if (length === 0 && blocks.length + message.blocks.length + stream.tasks.length === 0)
      throw new SlackError('no_text');
    append(message, stream, { ...additions, blocks: [...additions.blocks, ...blocks] });
    if (status !== undefined) setSession(context, channel, message.threadTs ?? message.ts, status);
    stream.open = false;
    if (metadata !== undefined) message.metadata = metadata;
    context.store.changed();
    messageChanged(context, message, previous);
    return { channel: channel.id, ts: message.ts, message: showMessage(context, message) };
  },
};

function checkRecipient(args: Args, channel: Channel): void {
  const { recipient_user_id: user, recipient_team_id: team } = args;
  if (channel.kind !== 'im' && user === undefined) throw new SlackError('missing_recipient_user_id');
  if (channel.kind !== 'im' && team === undefined) throw new SlackError('missing_recipient_team_id');
  if (user === undefined) return;
  const person = findPerson(user);
  if (person === undefined) throw new SlackError('user_not_found');
  if (team !== undefined && team !== person.team)
    throw new SlackError('invalid_arguments', `[ERROR] not the team of ${person.id}: recipient_team_id`);
}

function openStream(args: Args, context: Context) {
  const channel = writableChannel(args['channel']);
  const message = ownMessage(context, channel, args, 'message_not_owned_by_app');
  if (message.stream === null || !isStreaming(message, context.streamMaxAgeMs, Date.now()))
    throw new SlackError('message_not_in_streaming_state');
  return { channel, message, stream: message.stream };
}

interface Additions {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly tasks: readonly Task[];
  /** What counts towards the cap. */
  readonly chars: number;
}

function readAdditions(args: Args): Additions {
  const markdown = text(args, 'markdown_text');
  const chunks = args['chunks'];
  if (markdown !== undefined && chunks !== undefined)
    throw new SlackError('invalid_arguments', '[ERROR] markdown_text and chunks exclude each other');
  if (chunks !== undefined && !Array.isArray(chunks)) throw new SlackError('invalid_chunks');
  const parts = (chunks ?? []).map(readChunk);
  const own = markdown ?? '';
  if (own.length > MARKDOWN_MAX) throw new SlackError('msg_too_long');
  return {
    text: own + parts.map((part) => part.text).join(''),
    blocks: parts.flatMap((part) => part.blocks),
    tasks: parts.flatMap((part) => part.tasks),
    chars: own.length + parts.reduce((sum, part) => sum + part.chars, 0),
  };
}

function readChunk(chunk: unknown): Additions {
  const nothing = { text: '', blocks: [], tasks: [], chars: 0 };
  if (!isObject(chunk)) throw new SlackError('invalid_chunks');
  const { type, text: body, title, blocks } = chunk;
  if (type === 'markdown_text' && typeof body === 'string')
    return { ...nothing, text: body, chars: body.length };
  const chars = JSON.stringify(chunk).length;
  if (type === 'plan_update' && typeof title === 'string') return { ...nothing, chars };
  if (type === 'blocks' && Array.isArray(blocks)) return { ...nothing, blocks: checkBlocks(blocks), chars };
  if (type === 'task_update') return { ...nothing, tasks: [readTask(chunk)], chars };
  throw new SlackError('invalid_chunks', JSON.stringify(type));
}

const TASK_FIELDS = new Set(['type', 'id', 'title', 'status', 'details', 'output', 'sources']);

function readTask(chunk: Readonly<Record<string, unknown>>): Task {
  const { id, title, status, details = '', output = '', sources = [] } = chunk;
  const unknown = Object.keys(chunk).filter((field) => !TASK_FIELDS.has(field));
  if (unknown.length > 0) throw new SlackError('invalid_chunks', `unknown: ${unknown.join(', ')}`);
  const isTask = typeof id === 'string' && id !== '' && typeof title === 'string' && title !== '';
  if (!isTask || typeof status !== 'string' || !TASK_STATUSES.has(status))
    throw new SlackError('invalid_chunks', 'id, title, status');
  if (typeof details !== 'string' || typeof output !== 'string' || !Array.isArray(sources))
    throw new SlackError('invalid_chunks', 'details, output, sources');
  return { id, title, status, sources: sources.map(readSource) };
}

function readSource(source: unknown): Task['sources'][number] {
  const { type, url, text: words, ...others } = isObject(source) ? source : {};
  const isSource = type === 'url' && typeof url === 'string' && typeof words === 'string' && words !== '';
  if (!isSource || !/^https?:\/\//.test(url) || Object.keys(others).length > 0)
    throw new SlackError('invalid_chunks', 'sources');
  return { url, text: words };
}

/** All or nothing: a refused addition leaves the stream open and as it was. */
function append(message: StoredMessage, stream: Stream, additions: Additions): void {
  if (stream.chars + additions.chars > STREAM_MAX) throw new SlackError('msg_too_long');
  if (message.blocks.length + additions.blocks.length > BLOCKS_MAX)
    throw new SlackError('msg_blocks_too_many');
  stream.chars += additions.chars;
  message.markdown = (message.markdown ?? '') + additions.text;
  message.blocks = [...message.blocks, ...additions.blocks];
  for (const task of additions.tasks) {
    const known = stream.tasks.findIndex(({ id }) => id === task.id);
    if (known >= 0) stream.tasks[known] = task;
    else stream.tasks.push(task);
  }
}
