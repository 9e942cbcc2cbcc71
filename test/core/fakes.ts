/** In-memory implementations of the core's ports: small, real in behaviour, and inspectable. */
import type { AnsweringDeps } from '../../src/core/answering/deps.ts';
import { Failure } from '../../src/core/failures.ts';
import type {
  AnswerRecord,
  Answers,
  EnqueueOptions,
  Jobs,
  KeyValue,
  Log,
  Metrics,
  Model,
  Platform,
  Reply,
  ReplyStart,
  Threads,
} from '../../src/core/ports.ts';
import {
  type AnswerEvent,
  type MessageRef,
  type ModelRequest,
  messageKey,
  type PlatformName,
  type Question,
  type ThreadRef,
  type Turn,
  threadKey,
  type View,
} from '../../src/core/types.ts';

export const THREAD: ThreadRef = { platform: 'slack', workspace: 'T1', channel: 'C1', thread: '1.0' };

export function question(fields: Partial<Question> = {}): Question {
  const message: MessageRef = { platform: 'slack', workspace: 'T1', channel: 'C1', message: '1.0' };
  return {
    id: '00000000-0000-5000-8000-000000000001',
    platform: 'slack',
    workspace: 'T1',
    channel: 'C1',
    thread: THREAD,
    message,
    repliesTo: null,
    trigger: 'mention',
    asker: { id: 'U1', name: 'Ann' },
    text: 'How tall is it?',
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    delivery: {},
    askedAt: 1_000,
    ...fields,
  };
}

export function memoryKeyValue(): KeyValue & { readonly size: number; readonly reads: () => number } {
  const entries = new Map<string, string>();
  let reads = 0;
  const read = (key: string): unknown => {
    reads++;
    const value = entries.get(key);
    return value === undefined ? undefined : JSON.parse(value);
  };
  return {
    get size() {
      return entries.size;
    },
    reads: () => reads,
    // What comes out is what the same test put in.
    get: async <T>(key: string) => read(key) as T | undefined,
    getMany: async <T>(keys: readonly string[]) => keys.map((key) => read(key) as T | undefined),
    set: async (key, value) => void entries.set(key, JSON.stringify(value)),
    setMany: async (pairs) => {
      for (const [key, value] of pairs) entries.set(key, JSON.stringify(value));
    },
    delete: async (key) => void entries.delete(key),
  };
}

export function memoryAnswers(): Answers & { readonly records: Map<string, AnswerRecord> } {
  const records = new Map<string, AnswerRecord>();
  const change = (id: string, attempt: number, fields: Partial<AnswerRecord>): boolean => {
    const record = records.get(id);
    if (record?.attempt !== attempt) return false;
    records.set(id, { ...record, ...fields });
    return true;
  };
  return {
    records,
    async begin(asked, attempt) {
      const old = records.get(asked.id);
      if (old && old.attempt > attempt) return null;
      const fresh = { messages: [], thread: null, conclusion: null, delivered: false };
      const record: AnswerRecord = { ...fresh, ...old, question: asked, attempt };
      records.set(asked.id, record);
      return record;
    },
    posted: async (id, attempt, messages) => change(id, attempt, { messages }),
    opened: async (id, attempt, thread) => change(id, attempt, { thread }),
    conclude: async (id, attempt, conclusion) => change(id, attempt, { conclusion }),
    delivered: async (id, attempt) => change(id, attempt, { delivered: true }),
    find: async (id) => records.get(id) ?? null,
    forget: async (id) => void records.delete(id),
    async threadOf(message) {
      for (const record of records.values()) {
        const isOurs = record.messages.some((ref) => messageKey(ref) === messageKey(message));
        if (isOurs) return record.thread ?? record.question.thread;
      }
      return null;
    },
  };
}

export function memoryThreads(): Threads {
  const rows = new Map<string, { speakers: Set<string>; heard: number; isTold: boolean }>();
  return {
    async join(thread, person, at) {
      const row = rows.get(threadKey(thread)) ?? { speakers: new Set(), heard: 0, isTold: false };
      rows.set(threadKey(thread), row);
      row.speakers.add(person);
      row.heard = Math.max(row.heard, at);
    },
    async hear(thread, person, at) {
      const row = rows.get(threadKey(thread));
      if (!row) return null;
      const before = row.heard;
      if (person !== null) row.speakers.add(person);
      row.heard = at < before ? before + 1 : at;
      const [first] = row.speakers;
      return { humans: row.speakers.size, isFirst: first === person, before, isTold: row.isTold };
    },
    async told(thread) {
      const row = rows.get(threadKey(thread));
      if (row) row.isTold = true;
    },
  };
}

export interface Queued extends EnqueueOptions {
  readonly queue: string;
  readonly data: object;
}

export function memoryJobs(): Jobs & { readonly queued: Queued[] } {
  const queued: Queued[] = [];
  return {
    queued,
    async enqueue(queue, data, options) {
      if (queued.some((job) => job.queue === queue && job.id === options.id)) return false;
      queued.push({ queue, data, ...options });
      return true;
    },
    depth: async (queue, key) => queued.filter((job) => job.queue === queue && job.key === key).length,
    async replace(queue, id, data) {
      const at = queued.findIndex((job) => job.queue === queue && job.id === id);
      const job = queued[at];
      if (job) queued[at] = { ...job, data };
      return job !== undefined;
    },
    knows: async (queue, id) => queued.some((job) => job.queue === queue && job.id === id),
    async waiting(queue, { platform, workspace, person }) {
      const inQueue = queued.filter((job) => job.queue === queue && job.owner?.platform === platform);
      const inWorkspace = inQueue.filter(({ owner }) => owner?.workspace === workspace);
      const ofPerson = inWorkspace.filter(({ owner }) => owner?.person === person);
      return { person: ofPerson.length, workspace: inWorkspace.length };
    },
  };
}

/** A model that plays one script per request; a Failure in a script is thrown where it stands. */
export function scriptedModel(...scripts: readonly (readonly (AnswerEvent | Failure)[])[]): Model & {
  readonly requests: ModelRequest[];
} {
  const requests: ModelRequest[] = [];
  return {
    requests,
    async *answer(request, signal, admit) {
      await admit?.('chat');
      const script = scripts[Math.min(requests.length, scripts.length - 1)] ?? [];
      requests.push(request);
      for (const step of script) {
        await Promise.resolve();
        if (signal.aborted) throw new Failure('stopped', 'aborted');
        if (step instanceof Failure) throw step;
        yield step;
      }
    },
  };
}

export interface MemoryPlatform extends Platform {
  /** Every view shown, per question id. */
  readonly shown: Map<string, View[]>;
  readonly privateReplies: string[];
  readonly directMessages: { person: string; text: string }[];
  readonly marks: boolean[];
  readonly acknowledged: string[];
  readonly closed: string[];
  /** Thrown by the next writes, one each. */
  readonly faults: Failure[];
  /** What `open` throws; null for none. */
  noPlace: Failure | null;
  thread: readonly Turn[];
}

export function memoryPlatform(): MemoryPlatform {
  const platform: MemoryPlatform = {
    name: 'slack',
    shown: new Map(),
    privateReplies: [],
    directMessages: [],
    marks: [],
    acknowledged: [],
    closed: [],
    faults: [],
    noPlace: null,
    thread: [],
    reply: (asked, start) => memoryReply(platform, asked, start),
    markWaiting: async (_asked, waiting) => void platform.marks.push(waiting),
    acknowledge: async (asked) => void platform.acknowledged.push(asked.id),
    replyPrivately: async (_asked, text) => void platform.privateReplies.push(text),
    directMessage: async (_workspace, person, text) => void platform.directMessages.push({ person, text }),
    nameOf: async () => null,
    readThread: async () => ({ turns: platform.thread, isCut: false }),
    fetchFile: async () => ({ problem: 'kept elsewhere' }),
  };
  return platform;
}

function memoryReply(platform: MemoryPlatform, asked: Question, start: ReplyStart): Reply {
  let messages = start.messages;
  return {
    async open() {
      if (platform.noPlace) throw platform.noPlace;
      return asked.thread ?? { ...THREAD, thread: 'opened' };
    },
    async show(latest) {
      const view = latest();
      if (!view) return;
      const fault = platform.faults.shift();
      if (fault) throw fault;
      if (messages.length === 0 && view.text !== '') {
        messages = [{ platform: 'slack', workspace: 'T1', channel: 'C1', message: `answer to ${asked.id}` }];
        await start.posted(messages);
      }
      platform.shown.set(asked.id, [...(platform.shown.get(asked.id) ?? []), view]);
    },
    unresolved: () => 0,
    close: async () => void platform.closed.push(asked.id),
  };
}

/** One admin on each platform, who is nobody on the other. */
export function isAdmin(platform: PlatformName, person: string): boolean {
  return person === (platform === 'slack' ? 'UADMIN' : 'DADMIN');
}

export const quietLog: Log = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => quietLog,
};

export const noMetrics: Metrics = {
  heard: () => {},
  unresolvedCitations: () => {},
  answered: () => {},
  researchStarted: () => {},
  researchEnded: () => {},
  researchNoticed: () => {},
};

/** No file is opened. */
export const noFiles: AnsweringDeps['files'] = {
  readPdf: async () => null,
  limits: { files: 5, bytes: 1_000, pages: 1, chars: 1_000 },
};
