/** Asynchronous chat completions: what is sent and what comes back. */
import type { Report, UpstreamJob, UpstreamState } from '../core/research/ports.ts';
import type { Effort, ModelRequest } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { buildChatRequest, parseChatUsage, parseFinish } from './chat.ts';
import { findJobRemedy } from './errors.ts';
import type { Profile } from './profiles.ts';
import { parseAnnotations, parseChatSources } from './sources.ts';

/** A chat completion to be done later; the same key makes the same job. */
export function buildChatJob(request: ModelRequest, profile: Profile, effort: Effort, key: string) {
  return {
    request: { ...buildChatRequest(request, profile), reasoning_effort: effort },
    idempotency_key: key,
  };
}

/** How a job stands, by its description; any status that is not known to be an end means that it goes on. */
export function parseChatJob(body: unknown): UpstreamState {
  const job = asRecord(body);
  switch (readStatus(job)) {
    case 'CREATED':
      return { state: 'queued' };
    case 'COMPLETED':
      return { state: 'done', report: parseReport(asRecord(job?.['response'])) };
    case 'FAILED':
      return { state: 'failed', remedy: findJobRemedy({ message: job?.['error_message'] }) };
    default:
      return { state: 'running' };
  }
}

function parseReport(response: JsonObject | null): Report {
  const choice = asRecord(asArray(response?.['choices'])[0]);
  const message = asRecord(choice?.['message']);
  const finish = parseFinish(choice);
  const sources = parseChatSources(asArray(response?.['citations']), asArray(response?.['search_results']));
  return {
    text: asText(message?.['content']) ?? '',
    sources: sources.length > 0 ? sources : parseAnnotations(message?.['annotations']),
    usage: parseChatUsage(asRecord(response?.['usage'])),
    ...(finish === 'length' || finish === 'filtered' ? { cut: finish } : {}),
  };
}

/** One page of the list of jobs; `next` is null on the last. */
export function parseChatJobPage(body: unknown): { jobs: readonly UpstreamJob[]; next: string | null } {
  const page = asRecord(body);
  return { jobs: asArray(page?.['requests']).flatMap(parseListedJob), next: asText(page?.['next_token']) };
}

function parseListedJob(value: unknown): readonly UpstreamJob[] {
  const job = asRecord(value);
  const upstream = asText(job?.['id']);
  if (upstream === null) return [];
  const seconds = asNumber(job?.['created_at']);
  return [
    {
      upstream,
      state: LISTED[readStatus(job)] ?? 'running',
      createdAt: seconds === null ? null : seconds * 1000,
    },
  ];
}

function readStatus(job: JsonObject | null): string {
  return asText(job?.['status'])?.toUpperCase() ?? '';
}

const LISTED: Readonly<Record<string, UpstreamJob['state']>> = {
  CREATED: 'queued',
  COMPLETED: 'done',
  FAILED: 'failed',
};
