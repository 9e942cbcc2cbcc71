import { answerQuestion } from '../../../src/core/answering/answer.ts';
import type { AnsweringDeps } from '../../../src/core/answering/deps.ts';
import { createHistory } from '../../../src/core/answering/history.ts';
import { createStops } from '../../../src/core/answering/stop.ts';
import type { Failure } from '../../../src/core/failures.ts';
import { type AnswerEvent, type Question } from '../../../src/core/types.ts';
import {
  isAdmin,
  memoryAnswers,
  memoryJobs,
  memoryKeyValue,
  memoryPlatform,
  memoryThreads,
  noFiles,
  noMetrics,
  quietLog,
  scriptedModel,
} from '../fakes.ts';
import { memoryRateLimiter } from '../model-rate-limiter.ts';

/** A piece of the answer's text. */
export const text = (words: string): AnswerEvent => ({ type: 'text', text: words });
export const done: AnswerEvent = { type: 'done', reason: 'complete' };
const source = { number: 1, url: 'https://a.example/', title: 'A', date: null, snippet: null };
export const sources: AnswerEvent = { type: 'sources', sources: [source] };

/** The straight line over in-memory ports, with a model that plays one script per request. */
export function setup(...scripts: readonly (readonly (AnswerEvent | Failure)[])[]) {
  const platform = memoryPlatform();
  const model = scriptedModel(...scripts);
  const alerts: string[] = [];
  /** The questions whose jobs gave back their slot. */
  const released: string[] = [];
  const deps: AnsweringDeps & {
    answers: ReturnType<typeof memoryAnswers>;
    jobs: ReturnType<typeof memoryJobs>;
  } = {
    model,
    modelRateLimiter: memoryRateLimiter(),
    platforms: new Map([['slack', platform]]),
    jobs: memoryJobs(),
    answers: memoryAnswers(),
    history: createHistory(memoryKeyValue(), { window: 20, ttlMs: 1_000 }),
    threads: memoryThreads(),
    stops: createStops(memoryKeyValue(), quietLog),
    isAdmin,
    hasAdmins: () => true,
    metrics: noMetrics,
    log: quietLog,
    settings: { defaults: { profile: 'sonar' }, systemPrompt: 'system', contextChars: 8_000 },
    files: noFiles,
    alertAdmins: async (_question, words) => void alerts.push(words),
  };
  const controller = new AbortController();
  const run = (asked: Question, attempt = 1) => {
    const job = {
      id: asked.id,
      data: { question: asked, isMarked: false },
      attempt,
      signal: controller.signal,
      releaseSlot: () => void released.push(asked.id),
    };
    return answerQuestion(deps, job);
  };
  const last = (asked: Question) => platform.shown.get(asked.id)?.at(-1);
  return { platform, model, alerts, released, deps, run, last, controller };
}
