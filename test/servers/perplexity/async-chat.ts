import { conversation, faultInRoles, searchResult, systemPrompt, THINKING } from './chat.ts';
import { type Exchange, tokens } from './exchange.ts';
import { sendError } from './faults.ts';
import type { Look } from './job-course.ts';
import { sendLate } from './job-faults.ts';
import type { Job } from './jobs.ts';
import { reportFor } from './reports.ts';
import { chatJob, firstIssue } from './schema.ts';
import type { Topic } from './topics.ts';

/** `POST /async/chat/completions`: takes a job, or returns the one of the same key. */
export async function beginChatJob({ response, body, jobs, chooseJobFault }: Exchange): Promise<void> {
  const parsed = chatJob.safeParse(body);
  if (!parsed.success) {
    jobs.refused('chat', null);
    const isModel = parsed.error.issues[0]?.path[1] === 'model';
    return sendError(response, 400, isModel ? 'invalid_model' : 'invalid_request', firstIssue(parsed.error));
  }
  const { request, idempotency_key: key = null } = parsed.data;
  const said = conversation(request);
  const question = said.at(-1)?.text ?? '';
  const roleFault = faultInRoles(request);
  const fault = roleFault === null ? chooseJobFault('submit', question) : 'handled';
  if (roleFault !== null) sendError(response, 400, 'invalid_message', roleFault);
  if (fault === 'handled') return jobs.refused('chat', key);
  const report = reportFor(said, body, systemPrompt(request));
  const job = jobs.submit({ api: 'chat', key, question, request, report, isStored: true });
  await sendLate(response, described(job, { state: job.state(), report: 'missing' }), fault);
}

/** `GET /async/chat/completions/{id}`. */
export async function showChatJob({ response, jobs, chooseJobFault }: Exchange, id: string): Promise<void> {
  const job = jobs.find('chat', id);
  const fault = chooseJobFault('look', job?.question ?? '');
  if (fault === 'handled') return;
  if (job === null) return sendError(response, 404, 'not_found', 'Request not found.');
  await sendLate(response, described(job, jobs.look(job)), fault);
}

const PAGE_SIZE = 20;

/** `GET /async/chat/completions`: newest first, page by page. */
export async function listChatJobs({ response, record, jobs, chooseJobFault }: Exchange): Promise<void> {
  const fault = chooseJobFault('list', '');
  if (fault === 'handled') return;
  const { limit = String(PAGE_SIZE), next_token: token, ...rest } = record.query;
  const known = jobs.all.filter((job) => jobs.find('chat', job.id) === job).reverse();
  const after = token === undefined ? -1 : known.findIndex(({ id }) => id === idIn(token));
  const size = Number(limit);
  if (Object.keys(rest).length > 0 || !(size > 0) || (token !== undefined && after < 0)) {
    return sendError(response, 400, 'invalid_request', 'invalid query');
  }
  const page = known.slice(after + 1, after + 1 + size);
  const last = page.at(-1);
  const hasMore = after + 1 + size < known.length;
  const requests = page.map((job) => described(job, { state: job.state(), report: 'missing' }));
  const next = hasMore && last ? { next_token: Buffer.from(`after ${last.id}`).toString('base64') } : {};
  await sendLate(response, { requests, ...next }, fault);
}

function idIn(token: string): string {
  return Buffer.from(token, 'base64').toString('utf8').slice('after '.length);
}

const STATUSES: Readonly<Record<Look['state'], string>> = {
  queued: 'CREATED',
  running: 'IN_PROGRESS',
  done: 'COMPLETED',
  incomplete: 'COMPLETED',
  failed: 'FAILED',
  // This API cannot cancel, and what has expired is not shown.
  cancelled: 'FAILED',
  expired: 'FAILED',
  strange: 'REBALANCING',
};

const ERROR_MESSAGE = 'The research pipeline stopped: an internal model error occurred.';

function described(job: Job, { state, report }: Look): object {
  const status = STATUSES[state];
  const isOver = status === 'COMPLETED' || status === 'FAILED';
  return {
    id: job.id,
    model: 'sonar-deep-research',
    created_at: seconds(job.createdAt),
    started_at: state === 'queued' ? null : seconds(job.startsAt),
    completed_at: status === 'COMPLETED' ? seconds(job.endsAt) : null,
    failed_at: status === 'FAILED' ? seconds(job.endsAt) : null,
    status,
    ...(status === 'FAILED' ? { error_message: ERROR_MESSAGE } : {}),
    ...(isOver ? { response: status === 'FAILED' ? null : responseOf(job, state, report) } : {}),
  };
}

function responseOf(job: Job, state: Look['state'], report: Look['report']): object | null {
  if (report === 'missing') return state === 'incomplete' ? completion(job, '', 'length') : null;
  if (report === 'odd') return { choices: 'none', citations: {}, search_results: 7, usage: 'free' };
  const { text } = job.report;
  if (state !== 'incomplete') return completion(job, THINKING + text, 'stop');
  return completion(job, THINKING + text.slice(0, text.length / 2), 'length');
}

function completion(job: Job, text: string, finish: 'stop' | 'length'): object {
  const isUnclosed = /unclosed thoughts/i.test(job.question);
  const content = isUnclosed ? `<think>\n${job.report.text}` : text;
  return {
    id: job.id,
    model: 'sonar-deep-research',
    created: seconds(job.createdAt),
    object: 'chat.completion',
    citations: job.report.sources.map(({ url }) => url),
    search_results: job.report.sources.map(searchResult),
    usage: usageOf(job, text),
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
  };
}

function usageOf({ request, report }: { request: object; report: Topic }, text: string): object {
  const promptTokens = tokens(JSON.stringify(request));
  const completionTokens = tokens(text);
  const citationTokens = report.sources.length * 900;
  const reasoningTokens = 60_000;
  const searches = Math.ceil(report.sources.length / 4);
  const cost = {
    input_tokens_cost: (promptTokens * 2) / 1e6,
    output_tokens_cost: (completionTokens * 8) / 1e6,
    citation_tokens_cost: (citationTokens * 2) / 1e6,
    reasoning_tokens_cost: (reasoningTokens * 3) / 1e6,
    search_queries_cost: searches * 0.005,
  };
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    citation_tokens: citationTokens,
    num_search_queries: searches,
    reasoning_tokens: reasoningTokens,
    cost: { ...cost, total_cost: Object.values(cost).reduce((sum, part) => sum + part, 0) },
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
