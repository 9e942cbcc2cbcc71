import type { AnswerOptions, ModelRequest, Usage } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { filled } from './chat.ts';
import { reportedFailure } from './errors.ts';
import type { Gathered, Interpreter } from './interpreter.ts';
import type { Profile } from './profiles.ts';
import { type AgentSources, createAgentSources } from './sources.ts';

/** The API refuses less than this. */
const LEAST_OUTPUT_TOKENS = 16;

/** The body of a streamed Agent API request. */
export function agentBody(request: ModelRequest, profile: Profile): JsonObject {
  const tool = webSearch(request.options, profile);
  return {
    ...agentRequest(request, profile),
    stream: true,
    // We keep the history ourselves: nothing is to be looked up there later.
    store: false,
    tools: tool === null ? undefined : [tool],
  };
}

/** What is asked, but for the tools. The service refuses any field it does not know, so nothing else may be sent. */
export function agentRequest({ system, messages, options }: ModelRequest, profile: Profile): JsonObject {
  return {
    ...profile.agent,
    input: messages.map((message) => ({ role: message.role, content: message.text })),
    instructions: system ?? undefined,
    max_output_tokens:
      options.maxTokens === undefined ? undefined : Math.max(LEAST_OUTPUT_TOKENS, options.maxTokens),
    temperature: options.temperature,
    top_p: options.topP,
  };
}

/** What was asked for and cannot be had from this API, in one sentence for the person; null when nothing was lost. */
export function agentNotice(options: AnswerOptions, profile: Profile): string | null {
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
export function webSearch(options: AnswerOptions, profile: Profile): JsonObject | null {
  const domains = filled(options.domains);
  const filters =
    domains === undefined && options.recency === undefined
      ? undefined
      : { search_domain_filter: domains, search_recency_filter: options.recency };
  const isBare = 'model' in profile.agent || 'models' in profile.agent;
  const size = options.searchContextSize ?? (isBare ? profile.agentContextSize : null) ?? undefined;
  const isAsked = [filters, size, options.maxSearchResults].some((setting) => setting !== undefined);
  if (!isBare && !isAsked) return null;
  return {
    type: 'web_search',
    search_context_size: size,
    max_results: options.maxSearchResults,
    filters,
  };
}

/**
 * Reads the events of an Agent run. The set of kinds is open: unknown ones are passed over. The notice, if any, is given out
 * with the first event: before that it would only delay the request.
 */
export function createAgentInterpreter(notice: string | null): Interpreter {
  const run: Run = { sources: createAgentSources(), hasDeltas: false };
  let pendingNotice = notice;
  return {
    take(event, gathered, hasText) {
      if (pendingNotice !== null) gathered.events.push({ type: 'notice', text: pendingNotice });
      pendingNotice = null;
      const error = errorIn(event);
      if (error === undefined) takeProgress(event, gathered, run);
      else gathered.failure = reportedFailure(error, hasText);
    },
  };
}

interface Run {
  readonly sources: AgentSources;
  hasDeltas: boolean;
}

/** What an event says went wrong; undefined when it reports no failure. */
function errorIn(event: JsonObject): JsonObject | null | undefined {
  const type = event['type'];
  if (type === 'response.failed' || type === 'response.cancelled') {
    return asRecord(asRecord(event['response'])?.['error']);
  }
  if (type === 'error') return asRecord(event['error']) ?? { code: event['code'], message: event['message'] };
  // A bare `{error}` in place of an event, as gateways send it.
  return type === undefined ? (asRecord(event['error']) ?? undefined) : undefined;
}

function takeProgress(event: JsonObject, gathered: Gathered, run: Run): void {
  switch (event['type']) {
    case 'response.output_text.delta': {
      const delta = asText(event['delta']) ?? '';
      run.hasDeltas ||= delta !== '';
      gathered.text += delta;
      break;
    }
    case 'response.reasoning.started':
      gathered.isThinking = true;
      break;
    case 'response.reasoning.search_queries': {
      const queries = asArray(event['queries']).flatMap((query) => asText(query) ?? []);
      if (queries.length > 0) gathered.events.push({ type: 'searching', queries });
      break;
    }
    case 'response.reasoning.search_results':
      addSources(event['results'], gathered, run);
      break;
    case 'response.output_item.done':
      takeItem(asRecord(event['item']), gathered, run);
      break;
    case 'response.completed':
    case 'response.incomplete':
      takeTerminal(event, gathered, run);
      break;
    default:
  }
}

function addSources(results: unknown, gathered: Gathered, { sources }: Run): void {
  if (sources.add(results)) gathered.events.push({ type: 'sources', sources: sources.all() });
}

function takeItem(item: JsonObject | null, gathered: Gathered, run: Run): void {
  if (item?.['type'] === 'search_results') addSources(item['results'], gathered, run);
}

function takeTerminal(event: JsonObject, gathered: Gathered, run: Run): void {
  const response = asRecord(event['response']);
  const output = asArray(response?.['output']).map(asRecord);
  for (const item of output) takeItem(item, gathered, run);
  if (!run.hasDeltas) gathered.text += wholeText(output);
  gathered.usage = usageOfAgent(asRecord(response?.['usage']));
  gathered.finish = event['type'] === 'response.completed' ? 'complete' : incompleteReason(response);
  gathered.isOver = true;
}

/** Why a run is `incomplete`: everything but the filter means that the run was not allowed to go on to its end. */
export function incompleteReason(response: JsonObject | null): 'length' | 'filtered' {
  return asRecord(response?.['incomplete_details'])?.['reason'] === 'content_filter' ? 'filtered' : 'length';
}

export function wholeText(output: readonly (JsonObject | null)[]): string {
  return output
    .filter((item) => item?.['type'] === 'message')
    .flatMap((item) => asArray(item?.['content']))
    .map((part) => asText(asRecord(part)?.['text']) ?? '')
    .join('');
}

export function usageOfAgent(usage: JsonObject | null): Usage | null {
  const inputTokens = asNumber(usage?.['input_tokens']);
  const outputTokens = asNumber(usage?.['output_tokens']);
  if (inputTokens === null || outputTokens === null) return null;
  return { inputTokens, outputTokens, cost: asNumber(asRecord(usage?.['cost'])?.['total_cost']) };
}
