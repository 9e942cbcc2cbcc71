import { ANSWER_QUEUE } from '../../../src/core/answering/deps.ts';
import { createHistory } from '../../../src/core/answering/history.ts';
import { Failure } from '../../../src/core/failures.ts';
import type { RequestKind } from '../../../src/core/model-rate-limiter.ts';
import type { Job, Jobs, NextJob } from '../../../src/core/ports.ts';
import {
  PRIVATE_MESSAGE_QUEUE,
  type PrivateMessage,
  sendPrivateMessage,
} from '../../../src/core/private-messages.ts';
import { type RememberJob, rememberReport } from '../../../src/core/research/deliver.ts';
import type {
  NotifyResult,
  Report,
  ResearchModel,
  ResearchNotification,
  ResearchPlatform,
  UpstreamState,
} from '../../../src/core/research/ports.ts';
import { reviveResearchStep, runResearchStep } from '../../../src/core/research/run-step.ts';
import {
  enqueueStep,
  RESEARCH_QUEUE,
  type ResearchDeps,
  type ResearchStep,
} from '../../../src/core/research/step.ts';
import type { MessageRef, Question, ThreadRef, View } from '../../../src/core/types.ts';
import {
  isAdmin,
  memoryAnswers,
  memoryKeyValue,
  memoryPlatform,
  memoryThreads,
  noFiles,
  question,
  quietLog,
  THREAD,
} from '../fakes.ts';
import { memoryRateLimiter } from '../model-rate-limiter.ts';
import { memoryResearches } from './fakes.ts';

export const MINUTE = 60_000;

export const REPORT: Report = {
  text: '## Summary\nTrees help [1].\nSo does paint [2].\n\n## Details\nMuch more.',
  sources: [1, 2].map((number) => ({
    number,
    url: `https://s${number}.example/page`,
    title: `Source ${number}`,
    date: '2026-11-03',
    snippet: null,
  })),
  usage: { inputTokens: 1, outputTokens: 2, cost: 0.41 },
};

export const asked = (fields: Partial<Question> = {}): Question =>
  question({ text: 'How do cities cool?', research: { effort: 'medium', notify: 'here' }, ...fields });

/** A research model that plays scripts: one entry per call, the last one for ever. */
function scriptedResearch() {
  const script = {
    api: 'chat' as 'chat' | 'agent',
    submits: [] as (Failure | Error)[],
    looks: [] as (UpstreamState | Failure | Error)[],
    cancels: [] as (boolean | Failure)[],
  };
  const calls: string[] = [];
  const keys: string[] = [];
  const model: ResearchModel = {
    api: () => script.api,
    isRepeatable: (api) => api === 'chat',
    async submit({ api, key }) {
      calls.push(`submit ${api}`);
      keys.push(key);
      const outcome = script.submits.shift();
      if (outcome instanceof Error) throw outcome;
      return outcome ?? { upstream: `up-${keys.length}` };
    },
    async poll() {
      calls.push('look');
      const outcome = script.looks.length > 1 ? script.looks.shift() : script.looks[0];
      if (outcome instanceof Error) throw outcome;
      return outcome ?? { state: 'running' };
    },
    async cancel(_api, upstream) {
      calls.push(`cancel ${upstream}`);
      const outcome = script.cancels.shift() ?? script.api === 'agent';
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    list: async () => [],
  };
  return { model, script, calls, keys };
}

/** A board that keeps what it shows; `faults` are thrown by the next calls, one each, after their effect if `late`. */
function memoryBoard() {
  const board = {
    cards: [] as View[],
    notices: [] as ResearchNotification[],
    /** What was posted: at most one per job. */
    posted: [] as ResearchNotification[],
    cardFaults: [] as Failure[],
    noticeFaults: [] as (Failure | { late: Failure })[],
    noticed: { type: 'posted', hasFile: true } as { type: 'posted'; hasFile: boolean } | { type: 'unknown' },
  };
  const opened: ThreadRef = { ...THREAD, thread: 'opened' };
  const card: MessageRef = { platform: 'slack', workspace: 'T1', channel: 'C1', message: 'card' };
  const notify = async (notice: ResearchNotification): Promise<NotifyResult> => {
    board.notices.push(notice);
    const fault = board.noticeFaults.shift();
    if (fault instanceof Failure) throw fault;
    if (board.noticed.type === 'unknown') return board.noticed;
    const known = board.posted.some(({ place }) => place.type === notice.place.type);
    if (!notice.isRepeat || !known) board.posted.push(notice);
    if (fault) throw fault.late;
    return { ...board.noticed, message: { ...card, message: 'notice' } };
  };
  const port: Pick<ResearchPlatform, 'showCard' | 'notify'> = {
    async showCard(shown) {
      const fault = board.cardFaults.shift();
      if (fault) throw fault;
      board.cards.push(shown.view);
      return { thread: shown.question.thread ?? opened, card };
    },
    notify,
  };
  return { board, port };
}

interface Waiting extends NextJob {
  readonly dueAt: number;
  attempt: number;
}

/** A queue on a fake clock: one job per key at a time, ids known for ever. */
function clockwork(clock: { now: number }) {
  const known = new Set<string>();
  const waiting: Waiting[] = [];
  const jobs: Jobs = {
    async enqueue(queue, data, options) {
      if (known.has(`${queue} ${options.id}`)) return false;
      known.add(`${queue} ${options.id}`);
      waiting.push({ queue, data, options, dueAt: clock.now + (options.delayMs ?? 0), attempt: 1 });
      return true;
    },
    replace: async () => false,
    depth: async (queue, key) =>
      waiting.filter((job) => job.queue === queue && job.options.key === key).length,
    waiting: async () => ({ person: 0, workspace: 0 }),
    knows: async (queue, id) => known.has(`${queue} ${id}`),
  };
  return { jobs, waiting };
}

/** The research line over in-memory ports, its queue on a fake clock. */
export function setup(
  fields: Partial<ResearchDeps['settings']> = {},
  gaps: Partial<Record<RequestKind, number>> = {},
) {
  const clock = { now: 1_700_000_000_000 };
  const { jobs, waiting } = clockwork(clock);
  const researches = memoryResearches(jobs, clock);
  const { model, script, calls, keys } = scriptedResearch();
  const { board, port } = memoryBoard();
  const platform = Object.assign(memoryPlatform(), port);
  const platforms = new Map([['slack', platform]] as const);
  const alerts: string[] = [];
  const metrics: string[] = [];
  const answers = memoryAnswers();
  const history = createHistory(memoryKeyValue(), { window: 20, ttlMs: MINUTE });
  const deps: ResearchDeps = {
    model,
    modelRateLimiter: memoryRateLimiter(gaps, () => clock.now),
    researches,
    platforms,
    jobs,
    answers,
    history,
    threads: memoryThreads(),
    metrics: {
      heard: () => {},
      unresolvedCitations: () => {},
      answered: () => {},
      researchStarted: (_platform, api) => void metrics.push(`started ${api}`),
      researchEnded: (_platform, outcome) => void metrics.push(`ended ${outcome}`),
      researchNoticed: (_platform, outcome) => void metrics.push(`noticed ${outcome}`),
    },
    log: quietLog,
    files: noFiles,
    settings: {
      defaults: {},
      contextChars: 8_000,
      limits: { perPerson: 2, perWorkspace: 10 },
      deadlineMs: 60 * MINUTE,
      firstPollMs: 5_000,
      ...fields,
    },
    isAdmin,
    hasAdmins: () => true,
    alertAdmins: async (_question, text) => void alerts.push(text),
    now: () => clock.now,
    random: () => 0,
  };
  const signal = new AbortController().signal;
  const takeOne = async (job: Waiting): Promise<void> => {
    const base = { id: job.options.id, attempt: job.attempt, signal, releaseSlot: () => {} };
    // The casts: each queue carries what its worker takes.
    if (job.queue === RESEARCH_QUEUE)
      return runResearchStep(deps, { ...base, data: job.data as ResearchStep });
    if (job.queue === ANSWER_QUEUE)
      return rememberReport(deps, { ...base, data: job.data } as Job<RememberJob>);
    if (job.queue === PRIVATE_MESSAGE_QUEUE)
      return sendPrivateMessage({ platforms, log: quietLog }, noDesk, job.data as PrivateMessage);
  };
  /** Takes the next due job, moving the clock to it; false when there is none until then. */
  const step = async (until = Infinity): Promise<boolean> => {
    const [next] = waiting.toSorted((a, b) => a.dueAt - b.dueAt);
    if (!next || next.dueAt > until) return false;
    clock.now = Math.max(clock.now, next.dueAt);
    try {
      await takeOne(next);
      waiting.splice(waiting.indexOf(next), 1);
    } catch (error) {
      if (++next.attempt <= 3) return true;
      waiting.splice(waiting.indexOf(next), 1);
      if (next.queue !== RESEARCH_QUEUE) throw error;
      await reviveResearchStep(deps, next.data as ResearchStep);
    }
    return true;
  };
  /** Lets everything happen that is due within so many milliseconds. */
  const run = async (ms: number): Promise<void> => {
    const until = clock.now + ms;
    for (let steps = 0; await step(until); steps++) if (steps > 20_000) throw new Error('it never ends');
    if (ms !== Infinity) clock.now = until;
  };
  const begin = async (wanted: Question = asked()): Promise<void> =>
    enqueueStep(jobs, { step: 'submit', question: wanted, tries: 0 });
  const record = (id = asked().id) => researches.records.get(id);
  return {
    clock,
    deps,
    jobs,
    waiting,
    researches,
    script,
    calls,
    keys,
    board,
    platform,
    alerts,
    metrics,
    answers,
    history,
    step,
    run,
    begin,
    record,
  };
}

const noDesk = { run: async () => 'the desk', choices: async () => [] };
