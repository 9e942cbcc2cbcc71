import { flattenBlocks, isObject } from '../servers/slack/blocks.ts';
import { filePermalink } from '../servers/slack/files.ts';
import type { SlackServer } from '../servers/slack/server.ts';
import type { Block, Ephemeral, StoredFile, StoredMessage } from '../servers/slack/types.ts';
import type { Activity, PageButton, PageChannel, PageFile, PageMessage, Piece, Side } from './page-state.ts';

const PEOPLE = new Set(['ada', 'grace', 'linus']);
const CHANNELS = new Set(['general', 'random']);
/** Slack ends a stream by itself five minutes after its start. */
const STREAM_MAX_AGE_MS = 300_000;
const STATUS_MAX_AGE_MS = 120_000;
const EMOJI: Readonly<Record<string, string>> = { clock1: '🕐', clock3: '🕒', eyes: '👀', hourglass: '⌛' };

/** Slack as the page shows it. */
export function slackSide(slack: SlackServer, now: number): Side {
  const { messages, ephemerals, statuses } = slack.snapshot();
  const people = slack.people.filter(({ name }) => PEOPLE.has(name));
  const channels = slack.channels.flatMap((channel): PageChannel[] => {
    const owner = people.find(({ id }) => channel.members.includes(id))?.id ?? null;
    if (channel.kind === 'channel' && !CHANNELS.has(channel.name)) return [];
    if (channel.kind === 'im' && owner === null) return [];
    const kind = channel.kind === 'im' ? 'dm' : 'channel';
    const name = kind === 'dm' ? 'footnote' : channel.name;
    return [{ id: channel.id, name, kind, owner: kind === 'dm' ? owner : null, note: null }];
  });
  const fresh = statuses.filter(({ at, threadTs }) => threadTs !== null && now - at < STATUS_MAX_AGE_MS);
  const nameOf = (id: string | null): string =>
    slack.people.find((person) => person.id === id)?.name ?? 'app';
  return {
    connected: slack.sockets() > 0,
    workspace: 'Harbor',
    bot: { id: slack.botUser, name: 'footnote' },
    people: people.map(({ id, name }) => ({ id, name })),
    channels,
    threads: [],
    messages: [
      ...messages.map((message) => pageMessage(slack, message, nameOf, now)),
      ...ephemerals.map(ephemeralMessage),
    ].sort((a, b) => a.at - b.at),
    activities: activities(slack, fresh),
  };
}

function activities(
  slack: SlackServer,
  statuses: readonly { readonly channel: string; readonly threadTs: string | null }[],
): readonly Activity[] {
  const threads = new Map(
    statuses.map(({ channel, threadTs }) => [`${channel} ${threadTs}`, { channel, threadTs }]),
  );
  return [...threads.values()].flatMap(({ channel, threadTs }) => {
    const text = slack.status(channel, threadTs ?? '');
    return text === '' ? [] : [{ channel, thread: threadTs, text }];
  });
}

function pageMessage(
  slack: SlackServer,
  message: StoredMessage,
  nameOf: (id: string | null) => string,
  now: number,
): PageMessage {
  const { ts, channel, user, botId, threadTs, stream, tombstone } = message;
  const isOurs = botId === slack.botId;
  const text: Piece =
    message.markdown === null
      ? { type: 'text', dialect: 'mrkdwn', text: message.blocks.length === 0 ? message.text : '' }
      : { type: 'text', dialect: 'markdown', text: message.markdown };
  const tasks = (stream?.tasks ?? []).map(
    (task): Piece => ({ type: 'small', dialect: 'plain', text: task.title }),
  );
  return {
    id: ts,
    channel,
    thread: threadTs,
    author: {
      id: user ?? botId ?? '',
      name: isOurs ? 'footnote' : nameOf(user),
      kind: botId === null ? 'person' : 'bot',
    },
    at: Number(ts) * 1000,
    pieces: tombstone
      ? [{ type: 'small', dialect: 'plain', text: 'This message was deleted.' }]
      : withText([...tasks, text, ...blockPieces(message.blocks)]),
    streaming: stream?.open === true && now - stream.startedAt < STREAM_MAX_AGE_MS,
    edited: message.editedTs !== null,
    onlyFor: null,
    reactions: message.reactions.map(({ name, users }) => ({
      emoji: EMOJI[name] ?? `:${name}:`,
      count: users.length,
    })),
    repliesTo: null,
    files: message.files.map(pageFile),
    pings: isOurs ? pinged(message) : [],
  };
}

function ephemeralMessage(message: Ephemeral): PageMessage {
  const { ts, channel, user, text, blocks, threadTs, from } = message;
  const body: Piece = { type: 'text', dialect: 'mrkdwn', text: blocks.length === 0 ? text : '' };
  return {
    id: ts,
    channel,
    thread: threadTs,
    author: {
      id: from,
      name: from === 'slack' ? 'Slack' : 'footnote',
      kind: from === 'slack' ? 'platform' : 'bot',
    },
    at: Number(ts) * 1000,
    pieces: withText([body, ...blockPieces(blocks)]),
    streaming: false,
    edited: false,
    onlyFor: user,
    reactions: [],
    repliesTo: null,
    files: [],
    pings: [],
  };
}

function pageFile({ id, name, size, content }: StoredFile): PageFile {
  return {
    name,
    size,
    path: content === undefined ? null : `/api/file/slack/${id}`,
    link: filePermalink({ id, name }),
  };
}

function pinged({ text, blocks, markdown }: StoredMessage): readonly string[] {
  const read = [blocks.length === 0 ? text : flattenBlocks(blocks), markdown ?? ''].join('\n');
  return [...new Set([...read.matchAll(/<@(U\w+)>/g)].map(([, id = '']) => id))];
}

/** The text of a file that some message shares; null when there is none. */
export function slackFile(slack: SlackServer, id: string): string | null {
  const files = slack.snapshot().messages.flatMap((message) => message.files);
  return files.find((file) => file.id === id)?.content ?? null;
}

function withText(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.filter((piece) => !('text' in piece) || piece.text !== '');
}

function blockPieces(blocks: readonly Block[]): readonly Piece[] {
  return blocks.flatMap((block): readonly Piece[] => {
    switch (block.type) {
      case 'markdown':
        return [{ type: 'text', dialect: 'markdown', text: String(block['text']) }];
      case 'header':
        return [{ type: 'heading', text: flattenBlocks([block]) }];
      case 'divider':
        return [{ type: 'divider' }];
      case 'context':
        return [{ type: 'small', dialect: 'mrkdwn', text: flattenBlocks([block]) }];
      case 'actions':
        return [{ type: 'buttons', buttons: buttonsOf(block) }];
      default:
        return [{ type: 'text', dialect: 'mrkdwn', text: flattenBlocks([block]) }];
    }
  });
}

function buttonsOf(block: Block): readonly PageButton[] {
  const elements: readonly unknown[] = Array.isArray(block['elements']) ? block['elements'] : [];
  return elements.filter(isObject).flatMap((element) => {
    if (element['type'] !== 'button' || !isObject(element['text'])) return [];
    const value = typeof element['value'] === 'string' ? element['value'] : null;
    return [{ label: String(element['text']['text']), action: String(element['action_id']), value }];
  });
}
