import { expect, onTestFinished, vi } from 'vitest';
import { Failure } from '../../../src/core/failures.ts';
import type {
  Accepted,
  ButtonPress,
  Intake,
  JobsRequest,
  Log,
  Platform,
  Pressed,
  Reply,
  ReplyStart,
} from '../../../src/core/ports.ts';
import { isFinal, type MessageRef, type Question, type View } from '../../../src/core/types.ts';
import { openSlack, type SlackApp } from '../../../src/platforms/slack/app.ts';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import type { SlackServerOptions } from '../../servers/slack/types.ts';
import { silentLog } from './log.ts';
import { readManifest } from './manifest.ts';

export const ADA = 'U000000ADA';
export const COMMANDS = { ask: '/ask', research: '/research', jobs: '/jobs' };
export const GENERAL = 'C00GENERAL';

/** An intake that keeps what it is given, as the store would: one question per id. */
interface MemoryIntake extends Intake {
  readonly questions: Question[];
  readonly presses: ButtonPress[];
  /** How often `accept` was called. */
  calls: number;
  /** While set, nothing can be stored. */
  isBroken: boolean;
  /** While set, `accept` waits for it. */
  gate: Promise<void> | null;
  readonly stops: { readonly workspace: string; readonly thread: string; readonly by: string }[];
  readonly withdrawn: string[];
  /** The threads that others' bots said something in. */
  readonly overheard: string[];
  readonly revised: string[];
  /** What a press is answered with. */
  reply: Pressed;
}

export function memoryIntake(): MemoryIntake {
  return {
    questions: [],
    presses: [],
    calls: 0,
    isBroken: false,
    gate: null,
    reply: null,
    async accept(question): Promise<Accepted> {
      this.calls++;
      await this.gate;
      if (this.isBroken) throw new Error('the disk is full');
      if (this.questions.some((known) => known.id === question.id)) return 'duplicate';
      this.questions.push(question);
      return 'accepted';
    },
    stops: [],
    withdrawn: [],
    overheard: [],
    async stop(thread, by) {
      this.stops.push({ workspace: thread.workspace, thread: thread.thread, by: by.id });
    },
    async withdraw(id) {
      this.withdrawn.push(id);
    },
    revised: [],
    async revise({ text }) {
      this.revised.push(text);
    },
    async overhear({ thread }) {
      this.overheard.push(thread);
    },
    async press(press) {
      this.calls++;
      if (this.isBroken) throw new Error('the disk is full');
      this.presses.push(press);
      return this.reply;
    },
  };
}

/** A desk that keeps what it is asked; `gate` holds its answers back. */
function memoryDesk() {
  return {
    requests: [] as JobsRequest[],
    gate: null as Promise<void> | null,
    isBroken: false,
    async run(request: JobsRequest): Promise<string> {
      await this.gate;
      if (this.isBroken) throw new Error('the disk is full');
      this.requests.push(request);
      return 'R-4F2K · Researching <3 min>';
    },
    choices: async () => [],
  };
}

/** A stand-in that grants what our manifest asks for, and an app connected to it. Call `close` at the end. */
export async function connect(options: SlackServerOptions = {}, log: Log = silentLog) {
  const { scopes } = readManifest('slack.yaml');
  const server = await startSlackServer({ scopes, ...options });
  const app = await openApp(server, log);
  return {
    server,
    app,
    intake: memoryIntake(),
    researchCommands: memoryDesk(),
    async close() {
      await app.stop();
      await server.close();
    },
  };
}

/** Connected and listening, until the test ends. */
export async function listening(options: SlackServerOptions = {}) {
  const connected = await connect(options);
  onTestFinished(() => connected.close());
  await connected.app.listen(connected.intake, connected.researchCommands);
  return connected;
}

/** Resolves when everything that Slack has delivered so far is acknowledged. */
export async function allAcknowledged(server: SlackServer): Promise<void> {
  await vi.waitFor(() => expect(server.unacked()).toEqual([]), 5_000);
}

export function openApp(server: SlackServer, log: Log = silentLog): Promise<SlackApp> {
  const { botToken, appToken, apiUrl } = server;
  return openSlack({ botToken, appToken, apiUrl, commands: COMMANDS, log });
}

/** A question by ada, said in #general just now, as inbound would make it. */
export function askIn(server: SlackServer, text = '@footnote why?', channel = GENERAL): Question {
  const ts = server.say({ user: ADA, channel, text });
  return questionAt(server.team, channel, ts);
}

export function questionAt(workspace: string, channel: string, ts: string): Question {
  const place = { platform: 'slack', workspace, channel } as const;
  return {
    id: `q-${channel}-${ts}`,
    ...place,
    thread: { ...place, thread: ts },
    message: { ...place, message: ts },
    repliesTo: null,
    trigger: 'mention',
    asker: { id: ADA, name: null },
    text: 'why?',
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    delivery: { recipient: ADA, recipientTeam: workspace },
    askedAt: Math.round(Number(ts) * 1000),
  };
}

/** A start that remembers what was posted, as the store would. */
export function fresh(attempt = 1, messages: readonly MessageRef[] = []) {
  const recorded = { messages };
  const start: ReplyStart = {
    messages,
    attempt,
    isTaken: async () => false,
    posted: async (refs) => {
      recorded.messages = refs;
    },
  };
  return { start, recorded };
}

export function view(fields: Partial<View> = {}): View {
  return {
    state: 'writing',
    status: '',
    text: '',
    sources: [],
    notices: [],
    footer: null,
    buttons: [],
    ...fields,
  };
}

export function source(number: number) {
  return { number, url: `https://example.org/${number}`, title: `Page ${number}`, date: null, snippet: null };
}

/** What the bot has written in a question's thread, as a person sees it. */
export function answersTo(server: SlackServer, { channel, thread }: Question) {
  return server
    .history(channel, thread?.thread)
    .filter((message) => message.bot && message.ts !== thread?.thread);
}

/** The Failure a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got ${String(error)}`);
  return error;
}

/** A reply that shows the view it is given, progress too without waiting for its turn. */
export function unpaced(
  { reply }: Pick<Platform, 'reply'>,
  question: Question,
  start: ReplyStart,
): Omit<Reply, 'show'> & { show(view: View): Promise<void> } {
  const real = reply(question, start);
  const [paced, atOnce] = [new AbortController().signal, AbortSignal.abort()];
  return { ...real, show: (shown) => real.show(() => shown, isFinal(shown) ? paced : atOnce) };
}
