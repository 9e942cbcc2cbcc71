/** The workspace's memory: messages, ephemerals, statuses, and the clock that names messages. */
import { flattenBlocks } from './blocks.ts';
import type {
  Ephemeral,
  Metadata,
  SlackState,
  StatusRecord,
  StoredMessage,
  VisibleMessage,
} from './types.ts';

export interface Store {
  readonly messages: readonly StoredMessage[];
  readonly ephemerals: Ephemeral[];
  readonly statuses: StatusRecord[];
  /** A new `ts`, later than every one before. */
  nextTs(): string;
  add(message: StoredMessage): void;
  find(channel: string, ts: string): StoredMessage | undefined;
  /** Removes a message; a root with replies stays as a tombstone. */
  remove(message: StoredMessage): void;
  /** Replies of a thread, without its root, oldest first. */
  replies(channel: string, threadTs: string): readonly StoredMessage[];
  /** Tells listeners that something visible changed. */
  changed(): void;
  onChange(listener: () => void): () => void;
  snapshot(): SlackState;
}

export function createStore(state: SlackState | undefined): Store {
  const start = structuredClone(state) ?? { messages: [], ephemerals: [], statuses: [], lastTs: 0 };
  const messages: StoredMessage[] = [...start.messages];
  const ephemerals: Ephemeral[] = [...start.ephemerals];
  const statuses: StatusRecord[] = [...start.statuses];
  const index = new Map(messages.map((message) => [`${message.channel} ${message.ts}`, message]));
  const threads = new Map<string, StoredMessage[]>();
  const listeners = new Set<() => void>();
  let lastTs = start.lastTs;

  const threadOf = (channel: string, threadTs: string): StoredMessage[] => {
    const key = `${channel} ${threadTs}`;
    const found = threads.get(key) ?? [];
    threads.set(key, found);
    return found;
  };
  for (const message of messages)
    if (message.threadTs !== null) threadOf(message.channel, message.threadTs).push(message);

  return {
    messages,
    ephemerals,
    statuses,
    nextTs() {
      lastTs = Math.max(lastTs + 1, Date.now() * 1000);
      return `${Math.floor(lastTs / 1_000_000)}.${String(lastTs % 1_000_000).padStart(6, '0')}`;
    },
    add(message) {
      messages.push(message);
      index.set(`${message.channel} ${message.ts}`, message);
      if (message.threadTs !== null) threadOf(message.channel, message.threadTs).push(message);
      this.changed();
    },
    find(channel, ts) {
      const found = index.get(`${channel} ${ts}`);
      return found?.tombstone === true ? undefined : found;
    },
    remove(message) {
      const { channel, ts, threadTs } = message;
      if (threadTs === null && threadOf(channel, ts).length > 0) {
        message.tombstone = true;
      } else {
        messages.splice(messages.indexOf(message), 1);
        index.delete(`${channel} ${ts}`);
        if (threadTs !== null) {
          const thread = threadOf(channel, threadTs);
          thread.splice(thread.indexOf(message), 1);
        }
      }
      this.changed();
    },
    replies: (channel, threadTs) => threadOf(channel, threadTs),
    changed() {
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => structuredClone({ messages, ephemerals, statuses, lastTs }),
  };
}

type Fresh = Pick<StoredMessage, 'ts' | 'channel'> & Partial<StoredMessage>;

/** A message with everything not given left empty. */
export function freshMessage(given: Fresh): StoredMessage {
  return {
    user: null,
    botId: null,
    threadTs: null,
    broadcast: false,
    files: [],
    unfurls: true,
    text: '',
    markdown: null,
    blocks: [],
    metadata: null,
    editedTs: null,
    tombstone: false,
    shape: null,
    stream: null,
    reactions: [],
    ...given,
  };
}

/** What a person sees of it now; `streamMaxAgeMs` ends streams nobody stopped. */
export function visible(message: StoredMessage, streamMaxAgeMs: number, now: number): VisibleMessage {
  const blocks = flattenBlocks(message.blocks);
  const body = message.markdown ?? (message.blocks.length === 0 ? message.text : '');
  const { ts, user, threadTs, reactions, files, unfurls } = message;
  const metadata: Metadata | null = message.metadata;
  return structuredClone({
    ts,
    user,
    bot: message.botId !== null,
    text: [body, blocks].filter((part) => part !== '').join('\n'),
    fallback: message.markdown ?? message.text,
    blocks: message.blocks,
    threadTs,
    edited: message.editedTs !== null,
    streaming: isStreaming(message, streamMaxAgeMs, now),
    deleted: false,
    reactions,
    metadata,
    tasks: message.stream?.tasks ?? [],
    files,
    unfurls,
  } as const);
}

/** Slack ends a stream some five minutes after its start, whatever happened in between. */
export function isStreaming(message: StoredMessage, streamMaxAgeMs: number, now: number): boolean {
  return message.stream !== null && message.stream.open && now - message.stream.startedAt < streamMaxAgeMs;
}
