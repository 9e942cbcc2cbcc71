/** The Agent API's background mode: what is sent and what comes back. */
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import type { Report, UpstreamState } from '../core/research/ports.ts';
import type { ModelRequest } from '../core/types.ts';
import { asArray, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import {
  buildAgentRequest,
  buildSearchTool,
  FETCH_URL,
  joinText,
  pagesOf,
  parseAgentUsage,
  parseIncompleteReason,
} from './agent.ts';
import { findJobRemedy } from './errors.ts';
import type { Profile } from './profiles.ts';
import { createSourceList } from './sources.ts';

/** A run that goes on without a connection. */
export function buildAgentJob(
  request: ModelRequest,
  profile: Profile,
  key: string,
): ResponseCreateParamsNonStreaming {
  const search = buildSearchTool(request.options, profile);
  return {
    ...buildAgentRequest(request, profile),
    background: true,
    // A run that is not stored cannot be polled.
    store: true,
    // A given list takes the place of the preset's own tools, and research has to read whole pages.
    ...(search && { tools: [search, FETCH_URL] }),
    // This API takes no key to recognise a repeated request by; the mark only helps people to find the run.
    metadata: { footnote_job: key },
  };
}

/** How a run stands, by its description; any status that is not known to be an end means that it goes on. */
export function parseAgentJob(body: unknown): UpstreamState {
  const run = asRecord(body);
  switch (asText(run?.['status']) ?? '') {
    case 'queued':
      return { state: 'queued' };
    case 'completed':
      return { state: 'done', report: parseReport(run) };
    case 'incomplete':
      return { state: 'done', report: { ...parseReport(run), cut: parseIncompleteReason(run) } };
    case 'failed':
      return { state: 'failed', remedy: findJobRemedy(asRecord(run?.['error'])) };
    case 'cancelled':
      return { state: 'cancelled' };
    default:
      return { state: 'running' };
  }
}

function parseReport(run: JsonObject | null): Report {
  const output = asArray(run?.['output']).map(asRecord);
  const sources = createSourceList();
  sources.add(output.flatMap(pagesOf));
  return {
    text: joinText(output),
    sources: sources.all(),
    usage: parseAgentUsage(asRecord(run?.['usage'])),
  };
}
