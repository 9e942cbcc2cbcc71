import { conversation, QUERIES, searchResult, usageOf } from './agent-parts.ts';
import { type Exchange, tokens } from './exchange.ts';
import { sendError } from './faults.ts';
import type { Look } from './job-course.ts';
import { sendLate } from './job-faults.ts';
import type { Job } from './jobs.ts';
import { reportFor } from './reports.ts';
import type { AgentRequest } from './schema.ts';

/** `POST /v1/responses` with `background`: takes a run; this API knows no keys. */
export async function beginRun(exchange: Exchange, request: AgentRequest): Promise<void> {
  const { response, body, jobs, chooseJobFault } = exchange;
  const key = request.metadata?.['footnote_job'] ?? null;
  const said = conversation(request);
  const question = said.at(-1)?.text ?? '';
  const fault = chooseJobFault('submit', question);
  if (fault === 'handled') return jobs.refused('agent', key);
  const isStored = request.store !== false;
  const report = reportFor(said, body, request.instructions ?? '');
  const job = jobs.submit({ api: 'agent', key, question, request, report, isStored });
  await sendLate(response, described(job, { state: 'queued', report: 'missing' }), fault);
}

/** `GET /v1/responses/{id}`. */
export async function showRun({ response, jobs, chooseJobFault }: Exchange, id: string): Promise<void> {
  const job = jobs.find('agent', id);
  const fault = chooseJobFault('look', job?.question ?? '');
  if (fault === 'handled') return;
  if (job === null) return sendError(response, 404, 'not_found', 'Response not found.');
  await sendLate(response, described(job, jobs.look(job)), fault);
}

/** `POST /v1/agent/{id}/cancel`. The real one was seen to answer 400, not the documented 404, for an unknown id. */
export async function cancelRun({ response, jobs, chooseJobFault }: Exchange, id: string): Promise<void> {
  const job = jobs.find('agent', id);
  const fault = chooseJobFault('cancel', job?.question ?? '');
  if (fault === 'handled') return;
  if (job === null || !jobs.cancel(job)) {
    return sendError(response, 400, 'invalid_request', 'Response cannot be cancelled.');
  }
  await sendLate(response, { response_id: id, status: 'cancelling' }, fault);
}

const STATUSES: Readonly<Record<Look['state'], string>> = {
  queued: 'queued',
  running: 'in_progress',
  done: 'completed',
  incomplete: 'incomplete',
  failed: 'failed',
  cancelled: 'cancelled',
  expired: 'failed',
  strange: 'rebalancing',
};

/** Failed and cancelled runs come with status 200, and without usage. */
function described(job: Job, { state, report }: Look): object {
  const { model, models, preset, effort, metadata = {} } = job.request;
  const text = textOf(job, state, report);
  const isOver = state === 'done' || state === 'incomplete';
  return {
    id: job.id,
    object: 'response',
    status: STATUSES[state],
    model: model ?? (Array.isArray(models) ? models[0] : (preset ?? effort)),
    created_at: Math.floor(job.createdAt / 1000),
    completed_at: isOver ? Math.floor(job.endsAt / 1000) : null,
    background: true,
    store: true,
    metadata,
    error: state === 'failed' ? { code: 'server_error', message: 'Run failed: internal model error.' } : null,
    incomplete_details: state === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    output: isOver ? outputOf(job, text, report) : [],
    usage: isOver ? usage(job, text, report) : null,
  };
}

function textOf(job: Job, state: Look['state'], report: Look['report']): string {
  if (report === 'missing') return '';
  const { text } = job.report;
  if (/unclosed thoughts/i.test(job.question)) return `<think>\n${text}`;
  return state === 'incomplete' ? text.slice(0, text.length / 2) : text;
}

function outputOf(job: Job, text: string, report: Look['report']): unknown {
  if (report === 'odd')
    return [{ type: 'message', content: null }, 7, { type: 'search_results', results: 1 }];
  if (report === 'missing') return [];
  const results = job.report.sources.map(searchResult);
  // Runs search several times; the ids go on.
  const middle = Math.ceil(results.length / 2);
  const searches = [results.slice(0, middle), results.slice(middle)].filter((found) => found.length > 0);
  return [
    ...searches.map((found) => ({ type: 'search_results', queries: QUERIES, results: found })),
    ...(results.length > 0 ? [{ type: 'fetch_url_results', contents: [] }] : []),
    ...(text === '' ? [] : [messageOf(job, text)]),
  ];
}

function messageOf(job: Job, text: string): object {
  const content = [{ type: 'output_text', text, annotations: [] }];
  return { type: 'message', id: `msg_${job.id}`, role: 'assistant', status: 'completed', content };
}

function usage(job: Job, text: string, report: Look['report']): unknown {
  if (report === 'odd') return 'free';
  if (report === 'missing') return null;
  return usageOf(tokens(JSON.stringify(job.request['input'])), text, job.report.sources.length > 0);
}
