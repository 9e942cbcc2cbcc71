/** From what was seen to what is reported. */

import type { Load } from './cell.ts';
import type { LoopDelay } from './child.ts';
import type { ModelHandlers, ModelRequest } from './model.ts';
import type { PlatformHandlers, SeenAnswer } from './platform.ts';
import type { Cost } from './process-watch.ts';
import { median, type Spread, spreadOf } from './statistics.ts';

type Seen = ReturnType<PlatformHandlers['collect']>;

export interface Observed {
  readonly load: Load;
  readonly cost: Cost;
  readonly databaseCpuMs: number | null;
  readonly wallMs: number;
  readonly startMs: number;
  readonly seen: Seen;
  readonly model: ReturnType<ModelHandlers['collect']>;
  readonly loop: LoopDelay | null;
}

/** All figures of one cell. Times in milliseconds, memory in MB; null where a figure does not exist for the subject. */
export interface Figures {
  readonly load: Load;
  /** Answers whose every word stands there once and in order, of all that were asked. */
  readonly whole: number;
  /** Question written → request at the model. */
  readonly toModel: Spread | null;
  /** First token sent by the model → call that shows text. */
  readonly firstText: Spread | null;
  /** Mean over the tokens of an answer of (visible − sent). */
  readonly textLag: Spread | null;
  /** Last token sent → call that shows the last word. */
  readonly completion: Spread | null;
  readonly callsPerAnswer: number | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly insideRetryAfter: number;
  /** Requests at the model: more than there are answers when some were begun again. */
  readonly modelRequests: number;
  /** Slack's acknowledgements: event sent → acknowledged. */
  readonly ack: Spread | null;
  readonly cpuPerAnswerMs: number | null;
  readonly cpuPerTokenUs: number | null;
  /** Share of one core over the run, 0 to 1. */
  readonly cpuShare: number | null;
  /** Of the database server's processes; null for the embedded store, which is part of the service. */
  readonly databaseCpuPerAnswerMs: number | null;
  readonly loop: LoopDelay | null;
  readonly rssIdleMb: number | null;
  readonly rssPeakMb: number | null;
  readonly rssPerAnswerMb: number | null;
  readonly startMs: number;
  readonly wallMs: number;
  /** How late the stand-ins were: lags of this size are theirs, not the subject's. */
  readonly standIns: {
    readonly modelLateP95: number | null;
    readonly modelLoop: number;
    readonly platformLoop: number;
  };
}

export function figuresOf(observed: Observed): Figures {
  const { load, cost, seen, model, wallMs } = observed;
  const pairs = pair(seen.answers, model.requests);
  const timings = pairs.map(timingOf);
  const tokens = seen.answers.reduce((sum, answer) => sum + answer.tokens, 0);
  const isBare = load.who === 'bare';
  const calls = Object.values(seen.calls).reduce((sum, count) => sum + count, 0);
  const { cpuMs, rssIdleMb, rssPeakMb } = cost;
  const grown = rssIdleMb === null || rssPeakMb === null ? null : rssPeakMb - rssIdleMb;
  return {
    load,
    whole: seen.answers.filter(({ isWhole }) => isWhole).length,
    toModel: spreadOf(timings.map(({ toModel }) => toModel)),
    firstText: isBare ? null : spreadOf(timings.map(({ firstText }) => firstText)),
    textLag: isBare ? null : spreadOf(timings.map(({ textLag }) => textLag)),
    completion: spreadOf(timings.map(({ completion }) => completion)),
    callsPerAnswer: isBare ? null : calls / load.concurrency,
    calls: seen.calls,
    refused: seen.refused,
    insideRetryAfter: seen.insideRetryAfter,
    modelRequests: model.requests.length,
    // The minimal loop acknowledges before it does anything, and only one of the two deliveries.
    ack: load.who === 'footnote' ? spreadOf(seen.acks) : null,
    cpuPerAnswerMs: cpuMs === null ? null : cpuMs / load.concurrency,
    cpuPerTokenUs: cpuMs === null ? null : (cpuMs * 1000) / tokens,
    cpuShare: cpuMs === null ? null : cpuMs / wallMs,
    databaseCpuPerAnswerMs:
      observed.databaseCpuMs === null ? null : observed.databaseCpuMs / load.concurrency,
    loop: observed.loop,
    rssIdleMb,
    rssPeakMb,
    rssPerAnswerMb: grown === null ? null : grown / load.concurrency,
    startMs: observed.startMs,
    wallMs,
    standIns: {
      modelLateP95: model.lateness?.p95 ?? null,
      modelLoop: model.loop.p99,
      platformLoop: isBare ? 0 : seen.loop.p99,
    },
  };
}

interface Paired {
  readonly answer: SeenAnswer;
  /** The same one, unless the answer was begun again. */
  readonly first: ModelRequest;
  readonly last: ModelRequest;
}

function pair(answers: readonly SeenAnswer[], requests: readonly ModelRequest[]): Paired[] {
  const firsts = new Map(requests.toReversed().map((request) => [request.n, request]));
  const lasts = new Map(requests.map((request) => [request.n, request]));
  return answers.flatMap((answer): Paired[] => {
    const first = firsts.get(answer.n);
    const last = lasts.get(answer.n);
    return first === undefined || last === undefined ? [] : [{ answer, first, last }];
  });
}

function timingOf({ answer, first, last }: Paired) {
  const end = answer.steps.at(-1);
  const isComplete = end?.words === answer.tokens && last.lastAt > 0;
  return {
    toModel: first.at - answer.askedAt,
    firstText: (answer.steps[0]?.at ?? Number.NaN) - first.firstAt,
    textLag: isComplete && first === last ? textLag(answer, last) : Number.NaN,
    completion: isComplete ? end.at - last.lastAt : Number.NaN,
  };
}

/** Tokens are taken to have been sent evenly between the first and the last. */
function textLag({ steps, tokens }: SeenAnswer, { firstAt, lastAt }: ModelRequest): number {
  const perToken = tokens > 1 ? (lastAt - firstAt) / (tokens - 1) : 0;
  let sum = 0;
  let shown = 0;
  for (const { at, words } of steps) {
    for (; shown < words; shown++) sum += at - (firstAt + shown * perToken);
  }
  return sum / tokens;
}

/** The middle one of several runs of the same cell, figure by figure being of no use: whole runs are compared. */
export function middleOf(runs: readonly Figures[]): Figures {
  const rank = (figures: Figures): number => figures.cpuPerAnswerMs ?? figures.completion?.p50 ?? 0;
  const middle = median(runs.map(rank));
  const found = runs.find((figures) => rank(figures) === middle) ?? runs[0];
  if (found === undefined) throw new Error('no runs');
  return found;
}
