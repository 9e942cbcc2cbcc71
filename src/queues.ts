import { answerQuestion, giveUp } from './core/answering/answer.ts';
import { ANSWER_QUEUE, type AnsweringDeps, type AnswerJob } from './core/answering/deps.ts';
import { type ForgetJob, type ForgottenJob, forgetQuestion } from './core/answering/forget.ts';
import { type WaitJob, waitBehind } from './core/answering/join-thread.ts';
import type { ResearchCommands } from './core/ports.ts';
import { PRIVATE_MESSAGE_QUEUE, type PrivateMessage, sendPrivateMessage } from './core/private-messages.ts';
import { type RememberJob, rememberReport } from './core/research/deliver.ts';
import { reviveResearchStep, runResearchStep } from './core/research/run-step.ts';
import { RESEARCH_QUEUE, type ResearchDeps, type ResearchStep } from './core/research/step.ts';
import type { OwnerLimits } from './store/fair-claim.ts';
import type { StoreJobs } from './store/jobs.ts';

/** Steps of research are short: one request, one write. More of them at once would only wait for the platforms' rate limits. */
const CONCURRENT_STEPS = 50;
const CONCURRENT_MESSAGES = 10;
/** So many of both for one person: a rush of commands, or of refused research, keeps nobody else's waiting. */
const LIMITS: OwnerLimits = { perPerson: 2, perChannel: 0, perWorkspace: 0 };

interface QueueDeps {
  readonly answering: AnsweringDeps;
  readonly concurrentAnswers: number;
  /** How many answers of a person, and of a workspace, are written at once. */
  readonly running: OwnerLimits;
  readonly research: ResearchDeps;
  readonly researchCommands: ResearchCommands;
}

/** Runs the jobs of all queues, those that are waiting first. */
export async function startQueues(
  jobs: StoreJobs,
  { answering, concurrentAnswers, running, research, researchCommands }: QueueDeps,
): Promise<void> {
  await Promise.all([
    jobs.work<AnswerJob | WaitJob | RememberJob | ForgetJob | ForgottenJob>(
      ANSWER_QUEUE,
      concurrentAnswers,
      ({ data, ...job }) => {
        if ('behind' in data) return waitBehind(answering.answers, { ...job, data });
        if ('forget' in data) return forgetQuestion(answering, data.forget);
        if ('isForgotten' in data) return Promise.resolve();
        if ('remember' in data) return rememberReport(research, { ...job, data });
        return answerQuestion(answering, { ...job, data });
      },
      {
        onDead: async ({ data }) => ('question' in data ? giveUp(answering, data) : undefined),
        limits: running,
      },
    ),
    jobs.work<ResearchStep>(RESEARCH_QUEUE, CONCURRENT_STEPS, (job) => runResearchStep(research, job), {
      onDead: ({ data }) => reviveResearchStep(research, data),
      limits: LIMITS,
    }),
    jobs.work<PrivateMessage>(
      PRIVATE_MESSAGE_QUEUE,
      CONCURRENT_MESSAGES,
      ({ data }) => sendPrivateMessage(answering, researchCommands, data),
      { limits: LIMITS },
    ),
  ]);
}
