import { Failure } from '../core/failures.ts';
import type { Log } from '../core/ports.ts';
import { isRetired } from './errors.ts';

type Api = 'chat' | 'agent';

/** `auto`: chat completions until they are refused as retired, then the Agent API for as long as the process lives. */
export type ApiSetting = 'auto' | Api;

/** Which API is asked. Answers and research share one choice: what one of them learns holds for both. */
export interface ApiChoice {
  forAnswers(): Api;
  forResearch(): Api;
  /** Takes in why chat completions failed; true when the Agent API is to be asked from now on. Says so in the log once. */
  learn(error: unknown): boolean;
  /** The same for a research job that was not taken: its part of the API may be gone while answers still work. */
  learnFromJob(error: unknown): boolean;
}

export function createApiChoice(setting: ApiSetting, log: Log): ApiChoice {
  let answers: Api = setting === 'agent' ? 'agent' : 'chat';
  let research: Api = answers;

  const learn = (error: unknown): boolean => {
    if (setting !== 'auto' || !(error instanceof Failure) || !isRetired(error)) return false;
    if (answers === 'chat') log.warn({ code: error.code }, 'chat completions are retired for this key');
    answers = 'agent';
    research = 'agent';
    return true;
  };
  const learnFromJob = (error: unknown): boolean => {
    if (learn(error)) return true;
    if (setting !== 'auto' || !(error instanceof Failure) || !NOT_SERVED.has(error.status ?? 0)) return false;
    if (research === 'chat')
      log.warn({ status: error.status }, 'asynchronous chat completions are not served');
    research = 'agent';
    return true;
  };
  return { forAnswers: () => answers, forResearch: () => research, learn, learnFromJob };
}

/** Asynchronous chat completions ended before the others did, and gateways seldom have them. */
const NOT_SERVED: ReadonlySet<number> = new Set([404, 405, 410, 501]);
