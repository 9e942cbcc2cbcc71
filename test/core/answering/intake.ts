import { createIntake } from '../../../src/core/answering/accept.ts';
import type { FollowMode } from '../../../src/core/answering/follow.ts';
import { createHistory } from '../../../src/core/answering/history.ts';
import { createStops } from '../../../src/core/answering/stop.ts';
import { createResearchIntake } from '../../../src/core/research/accept.ts';
import {
  isAdmin,
  memoryAnswers,
  memoryJobs,
  memoryKeyValue,
  memoryPlatform,
  memoryThreads,
  noMetrics,
  question,
  quietLog,
} from '../fakes.ts';
import { memoryResearches } from '../research/fakes.ts';

/** The intake over in-memory ports. */
export function setupIntake(
  follow: FollowMode = 'auto',
  waiting = { perPerson: 0, perWorkspace: 0 },
  jobs = memoryJobs(),
) {
  const answers = memoryAnswers();
  const history = createHistory(memoryKeyValue(), { window: 20, ttlMs: 60_000 });
  const platform = memoryPlatform();
  const stops = createStops(memoryKeyValue(), quietLog);
  const intake = createIntake({
    jobs,
    answers,
    history,
    research: createResearchIntake({ jobs, researches: memoryResearches(jobs), log: quietLog, isAdmin }),
    threads: memoryThreads(),
    stops,
    platforms: new Map([['slack', platform]]),
    metrics: noMetrics,
    log: quietLog,
    follow,
    waiting,
    refused: memoryKeyValue(),
    isAdmin,
  });
  return { jobs, answers, history, platform, stops, intake };
}

/** A message in the thread of `question()`, without a mention. */
export const followUp = (id: string, person = 'U1') =>
  question({
    id,
    trigger: 'thread',
    asker: { id: person, name: null },
    message: { platform: 'slack', workspace: 'T1', channel: 'C1', message: `${id}.0` },
  });
