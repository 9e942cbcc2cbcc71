import { Failure } from '../core/failures.ts';
import type { ResearchModel, UpstreamJob, UpstreamState } from '../core/research/ports.ts';
import { asRecord, asText } from '../core/untrusted.ts';
import { agentNotice } from './agent.ts';
import type { Connection } from './connection.ts';
import { isRetired } from './errors.ts';
import { exchange, type Request, TOO_LARGE } from './exchange.ts';
import { type ProfileOverrides, researchProfile } from './profiles.ts';
import { agentJobBody, agentJobState } from './research-agent.ts';
import { chatJobBody, chatJobPage, chatJobState } from './research-chat.ts';
import type { Timers } from './watch.ts';

export interface ResearchOptions {
  readonly profiles?: ProfileOverrides;
  /** For one of the short requests that jobs are handed in and looked at with. */
  readonly researchTimers?: Partial<Timers>;
}

const DEFAULT_TIMERS: Timers = { headersMs: 30_000, idleMs: 20_000, totalMs: 60_000 };

/** The list of jobs goes back seven days; one that never ends is broken. */
const MOST_PAGES = 1_000;

type Job = Parameters<ResearchModel['submit']>[0];
type Ask = (request: Omit<Request, 'client' | 'timers'>, signal: AbortSignal) => Promise<unknown>;

/** The ResearchModel port over a connection. Every method makes one request at a time and retries nothing. */
export function createResearchModel(connection: Connection, options: ResearchOptions): ResearchModel {
  const { client, paths, choice } = connection;
  const timers = { ...DEFAULT_TIMERS, ...options.researchTimers };
  const ask: Ask = (request, signal) => exchange({ ...request, client, timers }, signal);

  return {
    api: choice.forResearch,
    isRepeatable: (api) => api === 'chat',
    async submit(job) {
      try {
        return await submit(ask, paths, job, options.profiles ?? {});
      } catch (error) {
        if (job.api === 'chat' && choice.learnFromJob(error)) return 'retired';
        throw error;
      }
    },
    async poll(api, upstream, signal) {
      const path = `${api === 'chat' ? paths.chatJobs : paths.agent}/${encodeURIComponent(upstream)}`;
      try {
        const body = await ask({ method: 'get', path }, signal);
        return api === 'chat' ? chatJobState(body) : agentJobState(body);
      } catch (error) {
        if (api === 'chat') choice.learn(error);
        return stateBehind(error);
      }
    },
    async cancel(api, upstream, signal) {
      if (api === 'chat') return false;
      const end = `${encodeURIComponent(upstream)}/cancel`;
      const isKnown = await ended(ask({ method: 'post', path: `${paths.agentRuns}/${end}` }, signal));
      // The documented address; a gateway may know only the one of OpenAI's API.
      if (!isKnown) await ended(ask({ method: 'post', path: `${paths.agent}/${end}` }, signal));
      return true;
    },
    async list(api, signal) {
      if (api === 'agent') return null;
      return listJobs(ask, paths.chatJobs, signal);
    },
  };
}

async function submit(
  ask: Ask,
  paths: Connection['paths'],
  { api, request, effort, key, signal }: Job,
  profiles: ProfileOverrides,
): Promise<{ upstream: string; notice?: string }> {
  const profile = researchProfile(profiles, effort);
  if (api === 'chat') {
    const body = chatJobBody(request, profile, effort, key);
    return { upstream: idIn(await ask({ method: 'post', path: paths.chatJobs, body }, signal)) };
  }
  const body = agentJobBody(request, profile, key);
  const upstream = idIn(await ask({ method: 'post', path: paths.agent, body }, signal));
  const notice = agentNotice(request.options, profile);
  return notice === null ? { upstream } : { upstream, notice };
}

function idIn(body: unknown): string {
  const id = asText(asRecord(body)?.['id']);
  if (id !== null) return id;
  throw new Failure('malformed', 'Perplexity took a research job without saying its id', { ambiguous: true });
}

/** What a look that failed says about the job, if anything. @throws {Failure} when it says nothing. */
function stateBehind(error: unknown): UpstreamState {
  if (!(error instanceof Failure)) throw error;
  if (error.kind === 'rejected') return { state: 'missing' };
  if (error.code === TOO_LARGE) return { state: 'empty' };
  const { message, status, code } = error;
  // A page from something between us and Perplexity.
  if (error.kind === 'malformed') throw new Failure('unreachable', message, { status, code });
  if (!isRetired(error)) throw error;
  const remedy = 'Perplexity has closed the API that this research was begun with';
  throw new Failure('not-authorised', message, { status, code, remedy });
}

/** False when the address or the run is unknown. A run that is over already is refused, which is as good as ended. */
async function ended(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'rejected') throw error;
    return error.status !== 404;
  }
  return true;
}

async function listJobs(ask: Ask, path: string, signal: AbortSignal): Promise<readonly UpstreamJob[]> {
  const jobs: UpstreamJob[] = [];
  const seen = new Set<string>();
  let token: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const query: Record<string, string> = token === null ? {} : { next_token: token };
    const { jobs: found, next } = chatJobPage(await ask({ method: 'get', path, query }, signal));
    jobs.push(...found);
    if (next === null || seen.has(next)) return jobs;
    seen.add(next);
    token = next;
  }
  throw new Failure('malformed', 'the list of research jobs has no end');
}
