import type {
  ResponseCreateParamsStreaming,
  ResponseInputContent,
  ResponseInputItem,
  Tool,
  WebSearchTool,
} from 'openai/resources/responses/responses';
import type { AnswerOptions, ModelFile, ModelMessage, ModelRequest, Usage } from '../core/types.ts';
import { asArray, asNumber, asRecord, asRecords, asText, type JsonObject } from '../core/untrusted.ts';
import { omitEmpty, omitUndefined, parseQueries } from './chat.ts';
import type { Profile } from './profiles.ts';
import { createSourceList, parseUrlCitations, type SourceList } from './sources.ts';
import type { ChunkParser, Finish, ParsedChunk } from './stream.ts';

/** The fields that Perplexity's Agent API adds to the Responses API; it refuses any field it does not know. */
declare module 'openai/resources/responses/responses' {
  interface WebSearchTool {
    max_results?: number;
  }
  namespace WebSearchTool {
    interface Filters {
      search_domain_filter?: readonly string[];
      search_recency_filter?: 'hour' | 'day' | 'week' | 'month' | 'year';
    }
  }
}

/** The API refuses less than this. */
const LEAST_OUTPUT_TOKENS = 16;

type AgentRequest = Omit<ResponseCreateParamsStreaming, 'stream'>;

/** The body of a streamed Agent API request. */
export function buildAgentBody(request: ModelRequest, profile: Profile): ResponseCreateParamsStreaming {
  const tool = buildSearchTool(request.options, profile);
  return {
    ...buildAgentRequest(request, profile),
    stream: true,
    // We keep the history ourselves: nothing is to be looked up there later.
    store: false,
    ...(tool && { tools: [tool] }),
  };
}

/** What is asked, but for the tools. */
export function buildAgentRequest(
  { system, messages, options }: ModelRequest,
  profile: Profile,
): AgentRequest {
  const { maxTokens } = options;
  return {
    // `model`, or Perplexity's own `models`, `preset`, `effort`: names that openai's types do not have.
    ...profile.agent,
    input: messages.map(toInputItem),
    ...omitUndefined({
      instructions: system ?? undefined,
      max_output_tokens: maxTokens === undefined ? undefined : Math.max(LEAST_OUTPUT_TOKENS, maxTokens),
      temperature: options.temperature,
      top_p: options.topP,
    }),
  };
}

function toInputItem({ role, text, files = [] }: ModelMessage): ResponseInputItem {
  if (role === 'assistant' || files.length === 0) return { type: 'message', role, content: text };
  return { type: 'message', role, content: [{ type: 'input_text', text }, ...files.map(toInputPart)] };
}

/** The API takes images, and no other files: of a PDF it is given the text. */
function toInputPart({ name, type, data, text }: ModelFile): ResponseInputContent {
  if (type === 'application/pdf') return { type: 'input_text', text: `(The text of ${name})\n${text ?? ''}` };
  return { type: 'input_image', image_url: `data:${type};base64,${data}`, detail: 'auto' };
}

/** What was asked for and cannot be had from this API, in one sentence for the person; null when nothing was lost. */
export function describeLostOptions(options: AnswerOptions, profile: Profile): string | null {
  const lost = [
    ...((options.presencePenalty ?? 0) === 0 ? [] : ['presence penalty']),
    ...((options.frequencyPenalty ?? 0) === 0 ? [] : ['frequency penalty']),
    ...((options.searchMode ?? 'web') === 'web' ? [] : [`search mode ${options.searchMode}`]),
    ...(options.relatedQuestions === true ? ['related questions'] : []),
  ];
  const sentences = [
    ...(profile.agentNotice === null ? [] : [profile.agentNotice]),
    ...(lost.length === 0 ? [] : [`Not available with this API and left out: ${lost.join(', ')}.`]),
  ];
  return sentences.length === 0 ? null : sentences.join(' ');
}

/** A bare model searches only with this tool; a preset brings its own, which the tool would replace. */
export function buildSearchTool(options: AnswerOptions, profile: Profile): WebSearchTool | null {
  const filters = omitUndefined({
    search_domain_filter: omitEmpty(options.domains),
    search_recency_filter: options.recency,
  });
  const isBare = 'model' in profile.agent || 'models' in profile.agent;
  const settings = omitUndefined({
    search_context_size: options.searchContextSize ?? (isBare ? profile.agentContextSize : null) ?? undefined,
    max_results: options.maxSearchResults,
    filters: Object.keys(filters).length > 0 ? filters : undefined,
  });
  if (!isBare && Object.keys(settings).length === 0) return null;
  return { type: 'web_search', ...settings };
}

/** Reads whole pages; Perplexity's own, which openai's types do not have. */
export const FETCH_URL = { type: 'fetch_url' } as unknown as Tool;

/**
 * Parses the events of an Agent run. The set of kinds is open: unknown ones are passed over. The notice, if any, is given out
 * with the first event: before that it would only delay the request.
 */
export function createAgentParser(notice: string | null): ChunkParser {
  const run: Run = { sources: createSourceList(), hasDeltas: false };
  let pendingNotice = notice;
  return (event) => {
    const error = findReportedError(event);
    const parsed = error === null ? parseProgress(event, run) : { error };
    if (pendingNotice === null) return parsed;
    const told = { type: 'notice', text: pendingNotice } as const;
    pendingNotice = null;
    return { ...parsed, events: [told, ...(parsed.events ?? [])] };
  };
}

interface Run {
  readonly sources: SourceList;
  hasDeltas: boolean;
}

/** What an event says went wrong, empty when it gives no reason; null when it reports no failure. */
function findReportedError(event: JsonObject): JsonObject | null {
  const type = event['type'];
  if (type === 'response.failed' || type === 'response.cancelled') {
    return asRecord(asRecord(event['response'])?.['error']) ?? {};
  }
  if (type === 'error') return asRecord(event['error']) ?? { code: event['code'], message: event['message'] };
  // A bare `{error}` in place of an event, as gateways send it.
  return type === undefined ? asRecord(event['error']) : null;
}

function parseProgress(event: JsonObject, run: Run): Partial<ParsedChunk> {
  switch (event['type']) {
    case 'response.output_text.delta': {
      const text = asText(event['delta']) ?? '';
      run.hasDeltas ||= text !== '';
      return { text };
    }
    case 'response.reasoning.started':
      return { isThinking: true };
    case 'response.reasoning.search_queries':
      return { events: parseQueries(event['queries']) };
    case 'response.reasoning.search_results':
      return { events: addSources(event['results'], run) };
    case 'response.output_text.annotation.added':
      return { events: addSources(parseUrlCitations([event['annotation']]), run) };
    case 'response.output_item.done':
      return { events: addSourcesOf([asRecord(event['item'])], run) };
    case 'response.completed':
    case 'response.incomplete':
      return parseEnd(event, run);
    default:
      return {};
  }
}

/** All sources so far when the results hold new ones, else nothing. */
function addSources(results: unknown, { sources }: Run): ParsedChunk['events'] {
  return sources.add(results) ? [{ type: 'sources', sources: sources.all() }] : [];
}

function addSourcesOf(output: readonly (JsonObject | null)[], run: Run): ParsedChunk['events'] {
  return addSources(output.flatMap(pagesOf), run);
}

/** What was found, what was read, and what the text is annotated with. */
export function pagesOf(item: JsonObject | null): readonly unknown[] {
  switch (item?.['type']) {
    case 'search_results':
      return asArray(item['results']);
    case 'fetch_url_results':
      return asArray(item['contents']);
    case 'message':
      return asRecords(item['content']).flatMap(({ annotations }) => parseUrlCitations(annotations));
    default:
      return [];
  }
}

function parseEnd(event: JsonObject, run: Run): Partial<ParsedChunk> {
  const response = asRecord(event['response']);
  const output = asArray(response?.['output']).map(asRecord);
  return {
    text: run.hasDeltas ? '' : joinText(output),
    events: addSourcesOf(output, run),
    usage: parseAgentUsage(asRecord(response?.['usage'])),
    finish: event['type'] === 'response.completed' ? 'complete' : parseIncompleteReason(response),
    isLast: true,
  };
}

/** Why a run is `incomplete`: everything but the filter means that the run was not allowed to go on to its end. */
export function parseIncompleteReason(response: JsonObject | null): Exclude<Finish, 'complete'> {
  return asRecord(response?.['incomplete_details'])?.['reason'] === 'content_filter' ? 'filtered' : 'length';
}

export function joinText(output: readonly (JsonObject | null)[]): string {
  return output
    .filter((item) => item?.['type'] === 'message')
    .flatMap((item) => asArray(item?.['content']))
    .map((part) => asText(asRecord(part)?.['text']) ?? '')
    .join('');
}

export function parseAgentUsage(usage: JsonObject | null): Usage | null {
  const inputTokens = asNumber(usage?.['input_tokens']);
  const outputTokens = asNumber(usage?.['output_tokens']);
  if (inputTokens === null || outputTokens === null) return null;
  return { inputTokens, outputTokens, cost: asNumber(asRecord(usage?.['cost'])?.['total_cost']) };
}
