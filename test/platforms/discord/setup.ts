/** The core's real line over in-memory ports, on the real Discord side, against the stand-in. */
import { expect } from 'vitest';
import { createIntake } from '../../../src/core/answering/accept.ts';
import { answerQuestion } from '../../../src/core/answering/answer.ts';
import type { AnswerJob } from '../../../src/core/answering/deps.ts';
import { createHistory } from '../../../src/core/answering/history.ts';
import { type WaitJob, waitBehind } from '../../../src/core/answering/join-thread.ts';
import { createStops } from '../../../src/core/answering/stop.ts';
import type {
  Accepted,
  EnqueueOptions,
  Intake,
  Jobs,
  KeyValue,
  Log,
  Model,
  Platform,
  ResearchCommands,
} from '../../../src/core/ports.ts';
import { createResearchIntake } from '../../../src/core/research/accept.ts';
import type { AnswerEvent, ModelRequest, Question } from '../../../src/core/types.ts';
import { type DiscordApp, type DiscordOptions, openDiscord } from '../../../src/platforms/discord/app.ts';
import {
  memoryAnswers,
  memoryKeyValue,
  memoryThreads,
  noFiles,
  noMetrics,
  quietLog,
} from '../../core/fakes.ts';
import { memoryRateLimiter } from '../../core/model-rate-limiter.ts';
import { memoryResearches } from '../../core/research/fakes.ts';
import { type DiscordServer, startDiscordServer } from '../../servers/discord/discord-server.ts';
import type { RecordedCall } from '../../servers/discord/recording.ts';

export const SOURCES = [
  { number: 1, url: 'https://tower.example/facts', title: 'Tower facts', date: '2026-11-03', snippet: null },
  { number: 2, url: 'https://city.example/guide', title: 'City guide', date: null, snippet: null },
];

/** The events of a whole answer, its text cut into these pieces. */
export function answerOf(...pieces: readonly string[]): AnswerEvent[] {
  return [
    ...pieces.map((text) => ({ type: 'text' as const, text })),
    { type: 'sources', sources: SOURCES },
    { type: 'done', reason: 'complete' },
  ];
}

/** A model whose answers grow when the test says so. */
export interface SteppedModel extends Model {
  readonly requests: ModelRequest[];
  /** Lets every request go on by one event; `Infinity` lets them run. */
  step(events?: number): void;
}

/** @param script the events answering a request, by its index. */
export function steppedModel(
  script: (index: number, request: ModelRequest) => readonly AnswerEvent[],
): SteppedModel {
  const requests: ModelRequest[] = [];
  let allowed = 0;
  let wake = Promise.withResolvers<void>();
  const isHeld = (index: number): boolean => index >= allowed;
  return {
    requests,
    step(events = 1) {
      allowed += events;
      wake.resolve();
      wake = Promise.withResolvers<void>();
    },
    async *answer(request, signal) {
      const events = script(requests.length, request);
      requests.push(request);
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      for (const [index, event] of events.entries()) {
        while (isHeld(index) && !signal.aborted) await Promise.race([wake.promise, aborted]);
        yield event;
      }
    },
  };
}

/** A model that answers every question at once with what the script says. */
export function promptModel(
  script: (index: number, request: ModelRequest) => readonly AnswerEvent[],
): SteppedModel {
  const model = steppedModel(script);
  model.step(Number.POSITIVE_INFINITY);
  return model;
}

/** Runs jobs at once, one after the other per key, like the store's queue; a thrown job is run again. */
function runningJobs(
  run: (data: object, attempt: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Jobs {
  const ids = new Set<string>();
  const tails = new Map<string, Promise<void>>();
  const depths = new Map<string, number>();
  const work = async (data: object, attempt = 1): Promise<void> => {
    try {
      await run(data, attempt, signal);
    } catch (error) {
      if (!signal.aborted && attempt < 4) return work(data, attempt + 1);
      if (!signal.aborted) throw error;
    }
  };
  return {
    async enqueue(queue: string, data: object, { id, key }: EnqueueOptions) {
      if (ids.has(`${queue} ${id}`)) return false;
      ids.add(`${queue} ${id}`);
      if (queue !== 'answer') return true;
      depths.set(key, (depths.get(key) ?? 0) + 1);
      const mine = (tails.get(key) ?? Promise.resolve()).then(() => work(data));
      tails.set(
        key,
        mine.finally(() => depths.set(key, (depths.get(key) ?? 1) - 1)).catch(() => {}),
      );
      return true;
    },
    replace: async () => false,
    depth: async (_queue, key) => depths.get(key) ?? 0,
    waiting: async () => ({ person: 0, workspace: 0 }),
    knows: async (queue, id) => ids.has(`${queue} ${id}`),
  };
}

export interface Footnote {
  readonly app: DiscordApp;
  /** Everything the intake was given, and what it made of it. */
  readonly heard: { readonly question: Question; readonly result: Accepted }[];
  /** The threads that others' bots said something in. */
  readonly overheard: readonly string[];
  readonly sessions: KeyValue;
  stop(): Promise<void>;
}

export interface FootnoteOptions extends Partial<DiscordOptions> {
  readonly sessions?: KeyValue;
  readonly model?: Model;
  readonly log?: Log;
  /** Stands between the gateway and the core's intake. */
  readonly intake?: (core: Intake) => Intake;
  readonly research?: ResearchCommands;
}

/** Opens Discord, wires the core to it and listens. */
async function startFootnote(server: DiscordServer, options: FootnoteOptions = {}): Promise<Footnote> {
  const {
    model = promptModel(() => answerOf('An answer.')),
    log = quietLog,
    intake: wrap,
    sessions = memoryKeyValue(),
    research: commands,
    ...rest
  } = options;
  const base = { token: server.token, applicationId: null, apiUrl: server.apiUrl, messageContent: true };
  const app = await openDiscord({ ...base, threads: 'always', log, ...rest });
  const stopping = new AbortController();
  const platforms = new Map<'slack' | 'discord', Platform>([['discord', app.platform]]);
  const shared = {
    answers: memoryAnswers(),
    threads: memoryThreads(),
    platforms,
    metrics: noMetrics,
    log,
    stops: createStops(memoryKeyValue(), log),
    isAdmin: () => false,
  };
  const settings = { defaults: {}, systemPrompt: '', contextChars: 10_000 };
  const history = createHistory(memoryKeyValue(), { window: 20, ttlMs: 60_000 });
  const jobs = runningJobs((data, attempt, signal) => {
    const job = { id: '', attempt, signal, releaseSlot: () => {} };
    // The queue `answer` carries nothing else.
    if ('behind' in data) return waitBehind(shared.answers, { ...job, data: data as WaitJob });
    return answerQuestion(deps, { ...job, data: data as AnswerJob });
  }, stopping.signal);
  const alerts = { alertAdmins: async () => {}, hasAdmins: () => true };
  const modelRateLimiter = memoryRateLimiter();
  const deps = { ...shared, jobs, model, modelRateLimiter, history, settings, files: noFiles, ...alerts };
  const research = createResearchIntake({ ...shared, jobs, researches: memoryResearches(jobs) });
  const core = createIntake({
    ...shared,
    history,
    jobs,
    research,
    follow: 'auto',
    waiting: { perPerson: 20, perWorkspace: 0 },
    refused: memoryKeyValue(),
  });
  const heard: Footnote['heard'] = [];
  const overheard: string[] = [];
  const recording: Intake = {
    async accept(question) {
      const result = await core.accept(question);
      heard.push({ question, result });
      return result;
    },
    press: core.press,
    stop: core.stop,
    withdraw: core.withdraw,
    revise: core.revise,
    async overhear(thread, at) {
      overheard.push(thread.thread);
      await core.overhear(thread, at);
    },
  };
  await app.listen(wrap?.(recording) ?? recording, sessions, commands);
  return {
    app,
    heard,
    overheard,
    sessions,
    async stop() {
      stopping.abort();
      await app.stop();
    },
  };
}

/** A stand-in and everything started on it, ended together. */
export function createTown() {
  const ends: (() => Promise<void>)[] = [];
  return {
    async server(options: Parameters<typeof startDiscordServer>[0] = {}): Promise<DiscordServer> {
      const server = await startDiscordServer(options);
      ends.push(async () => {
        await server.close();
        checkNotifications(server.calls);
      });
      return server;
    },
    async footnote(server: DiscordServer, options?: FootnoteOptions): Promise<Footnote> {
      const footnote = await startFootnote(server, options);
      ends.push(() => footnote.stop());
      return footnote;
    },
    async end(): Promise<void> {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}

/** Whatever was written in a test, interaction responses too, names whom it may notify: nobody, or one person. */
function checkNotifications(calls: readonly RecordedCall[]): void {
  const drafts = calls.flatMap(({ body }): object[] => {
    const data = isObject(body) && 'data' in body ? body.data : body;
    return isObject(data) && 'content' in data ? [data] : [];
  });
  for (const draft of drafts) expect(draft).toMatchObject({ allowed_mentions: { parse: [] } });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function channelId(server: DiscordServer, name: string): string {
  const channel = server.channels.find((entry) => entry.name === name);
  if (!channel) throw new Error(`no channel ${name}`);
  return channel.id;
}

export function mention(server: DiscordServer, text: string): string {
  return `<@${server.botUser.id}> ${text}`;
}

/** What the bot has written in a channel, oldest first. */
export function written(server: DiscordServer, channel: string) {
  return server.history(channel).filter(({ author }) => author.id === server.botUser.id);
}
