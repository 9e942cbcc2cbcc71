import { Failure } from '../core/failures.ts';
import type { Report, ResearchModel, UpstreamJob, UpstreamState } from '../core/research/ports.ts';
import { asRecord, asText } from '../core/untrusted.ts';
import { describeLostOptions } from './agent.ts';
import type { ApiChoice } from './api-choice.ts';
import { type Clients, requestJson, type Send } from './client.ts';
import type { Timeouts } from './deadline.ts';
import { isRetired, TOO_LARGE } from './errors.ts';
import { chooseResearchProfile, type ProfileOverrides } from './profiles.ts';
import { buildAgentJob, parseAgentJob } from './research-agent.ts';
import { buildChatJob, parseChatJob, parseChatJobPage } from './research-chat.ts';
import { removeThoughts } from './thinking.ts';

interface ResearchDeps {
  readonly clients: Clients;
  readonly choice: ApiChoice;
  readonly profiles: ProfileOverrides;
  /** For one request. */
  readonly timeouts: Partial<Timeouts>;
}

const TIMEOUTS: Timeouts = { headersMs: 30_000, idleMs: 20_000, totalMs: 60_000 };

/** Where asynchronous chat completions live. */
const CHAT_JOBS = '/async/chat/completions';

/** No report is longer, in characters; the same bound as for answers. */
const LONGEST_REPORT = 200_000;

type Job = Parameters<ResearchModel['submit']>[0];

/** Makes one request; resolves with the JSON it is answered with. @throws {Failure} as `requestJson` does. */
type Ask = (send: Send, signal: AbortSignal) => Promise<unknown>;

/** The ResearchModel port over both APIs. Every method makes one request at a time and retries nothing. */
export function createResearchModel({ clients, choice, profiles, ...deps }: ResearchDeps): ResearchModel {
  const timeouts = { ...TIMEOUTS, ...deps.timeouts };
  const ask: Ask = (send, signal) => requestJson(send, timeouts, signal);
  const { agent, chatJobs } = clients;

  return {
    api: choice.forResearch,
    isRepeatable: (api) => api === 'chat',
    async submit(job) {
      try {
        return await submit(ask, clients, job, profiles);
      } catch (error) {
        if (job.api === 'chat' && choice.learnFromJob(error)) throw createRetiredFailure(error);
        throw error;
      }
    },
    async poll(api, upstream, signal) {
      try {
        if (api === 'agent') {
          const run = await ask((options) => agent.responses.retrieve(upstream, {}, options), signal);
          return checkReport(parseAgentJob(run));
        }
        const path = `${CHAT_JOBS}/${encodeURIComponent(upstream)}`;
        return checkReport(parseChatJob(await ask((options) => chatJobs.get(path, options), signal)));
      } catch (error) {
        if (api === 'chat') choice.learn(error);
        return interpretPollFailure(error);
      }
    },
    async cancel(api, upstream, signal) {
      if (api === 'chat') return false;
      // Where Perplexity documents the end of a run; a gateway may know only the address of OpenAI's API.
      const path = `/agent/${encodeURIComponent(upstream)}/cancel`;
      const isKnown = await tryCancel(ask((options) => agent.post(path, options), signal));
      if (!isKnown) await tryCancel(ask((options) => agent.responses.cancel(upstream, options), signal));
      return true;
    },
    list: (signal) => listJobs(ask, chatJobs, signal),
  };
}

/** Nothing was submitted; the next try goes to the other API. */
function createRetiredFailure(cause: unknown): Failure {
  return new Failure('unreachable', 'asynchronous chat completions are not served for this key', { cause });
}

async function submit(
  ask: Ask,
  { agent, chatJobs }: Clients,
  { api, request, effort, key, signal }: Job,
  profiles: ProfileOverrides,
): Promise<{ upstream: string; notice?: string }> {
  const profile = chooseResearchProfile(profiles, effort);
  if (api === 'chat') {
    const body = buildChatJob(request, profile, effort, key);
    return {
      upstream: readJobId(await ask((options) => chatJobs.post(CHAT_JOBS, { ...options, body }), signal)),
    };
  }
  const body = buildAgentJob(request, profile, key);
  const upstream = readJobId(await ask((options) => agent.responses.create(body, options), signal));
  const notice = describeLostOptions(request.options, profile);
  return notice === null ? { upstream } : { upstream, notice };
}

function readJobId(body: unknown): string {
  const id = asText(asRecord(body)?.['id']);
  if (id !== null) return id;
  throw new Failure('malformed', 'Perplexity took a research job without saying its id', { ambiguous: true });
}

/** The state with its report as people may read it: without thoughts, of a length that can be stored. */
function checkReport(state: UpstreamState): UpstreamState {
  if (state.state !== 'done') return state;
  const { report } = state;
  const text = removeThoughts(report.text).trim();
  if (text === '') return report.cut === undefined ? { state: 'empty' } : createWithheldState(report.cut);
  if (text.length <= LONGEST_REPORT) return { state: 'done', report: { ...report, text } };
  return { state: 'done', report: { ...report, text: shorten(text), cut: 'length' } };
}

/** Stopped before anything was written: all it was allowed went into searching and thinking. */
function createWithheldState(cut: NonNullable<Report['cut']>): UpstreamState {
  const remedy =
    cut === 'length' ? 'its limit on tokens left no room for a report' : 'Perplexity withheld the report';
  return { state: 'failed', remedy };
}

/** Never ends between the halves of one character. */
function shorten(text: string): string {
  const last = text.codePointAt(LONGEST_REPORT - 1) ?? 0;
  return text.slice(0, last > 0xff_ff ? LONGEST_REPORT - 1 : LONGEST_REPORT);
}

/** What a poll that failed says about the job, if anything. @throws {Failure} when it says nothing. */
function interpretPollFailure(error: unknown): UpstreamState {
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
async function tryCancel(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'rejected') throw error;
    return error.status !== 404;
  }
  return true;
}

/** Reads all pages; a list whose pages lead back to one that was read has ended. */
async function listJobs(
  ask: Ask,
  client: Clients['chatJobs'],
  signal: AbortSignal,
): Promise<readonly UpstreamJob[]> {
  const jobs: UpstreamJob[] = [];
  const seen = new Set<string>();
  let query: Record<string, string> = {};
  for (;;) {
    const page = parseChatJobPage(
      await ask((options) => client.get(CHAT_JOBS, { ...options, query }), signal),
    );
    jobs.push(...page.jobs);
    if (page.next === null || seen.has(page.next)) return jobs;
    seen.add(page.next);
    query = { next_token: page.next };
  }
}
