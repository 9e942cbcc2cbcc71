/** Asynchronous chat completions: what is sent and what comes back. */
import type { Report, UpstreamJob, UpstreamState } from '../core/research/ports.ts';
import type { Effort, ModelRequest } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { chatRequest, finishOf, usageOfChat } from './chat.ts';
import { remedyForJob } from './errors.ts';
import type { Profile } from './profiles.ts';
import { sourcesOfChat } from './sources.ts';

/** A chat completion to be done later; the same key makes the same job. */
export function chatJobBody(request: ModelRequest, profile: Profile, effort: Effort, key: string) {
  return {
    request: { ...chatRequest(request, profile), reasoning_effort: effort },
    idempotency_key: key,
  };
}

/** How a job stands, by its description; any status that is not known to be an end means that it goes on. */
export function chatJobState(body: unknown): UpstreamState {
  const job = asRecord(body);
  switch (statusOf(job)) {
    case 'CREATED':
      return { state: 'queued' };
    case 'COMPLETED':
      return { state: 'done', report: reportIn(asRecord(job?.['response'])) };
    case 'FAILED':
      return { state: 'failed', remedy: remedyForJob({ message: job?.['error_message'] }) };
    default:
      return { state: 'running' };
  }
}

function reportIn(response: JsonObject | null): Report {
  const choice = asRecord(asArray(response?.['choices'])[0]);
  const finish = finishOf(choice);
  return {
    text: asText(asRecord(choice?.['message'])?.['content']) ?? '',
    sources: sourcesOfChat(asArray(response?.['citations']), asArray(response?.['search_results'])),
    usage: usageOfChat(asRecord(response?.['usage'])),
    ...(finish === 'length' || finish === 'filtered' ? { cut: finish } : {}),
  };
}

/** One page of the list of jobs; `next` is null on the last. */
export function chatJobPage(body: unknown): { jobs: readonly UpstreamJob[]; next: string | null } {
  const page = asRecord(body);
  return { jobs: asArray(page?.['requests']).flatMap(jobIn), next: asText(page?.['next_token']) };
}

function jobIn(value: unknown): readonly UpstreamJob[] {
  const job = asRecord(value);
  const upstream = asText(job?.['id']);
  if (upstream === null) return [];
  const seconds = asNumber(job?.['created_at']);
  return [
    {
      upstream,
      state: LISTED[statusOf(job)] ?? 'running',
      createdAt: seconds === null ? null : seconds * 1000,
    },
  ];
}

function statusOf(job: JsonObject | null): string {
  return asText(job?.['status'])?.toUpperCase() ?? '';
}

const LISTED: Readonly<Record<string, UpstreamJob['state']>> = {
  CREATED: 'queued',
  COMPLETED: 'done',
  FAILED: 'failed',
};
