import type { ModelRequest, Usage } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import { reportedFailure } from './errors.ts';
import type { Gathered, Interpreter } from './interpreter.ts';
import type { Profile } from './profiles.ts';
import { sourcesOfChat } from './sources.ts';

/** The body of a streamed chat completion. */
export function chatBody(request: ModelRequest, profile: Profile): JsonObject {
  return {
    ...chatRequest(request, profile),
    stream: true,
    // The default mode repeats the whole text and all sources with every token: quadratic in the answer's length.
    stream_mode: 'concise',
  };
}

/** What is asked, however it is answered. The service drops fields it does not know in silence, so their places matter. */
export function chatRequest({ system, messages, options }: ModelRequest, profile: Profile): JsonObject {
  const body: Record<string, unknown> = {
    model: profile.chatModel,
    messages: [
      ...(system === null ? [] : [{ role: 'system', content: system }]),
      ...messages.map((message) => ({ role: message.role, content: message.text })),
    ],
    return_images: false,
    max_tokens: options.maxTokens,
    temperature: options.temperature,
    top_p: options.topP,
    presence_penalty: options.presencePenalty,
    frequency_penalty: options.frequencyPenalty,
    search_recency_filter: options.recency,
    search_domain_filter: filled(options.domains),
    num_search_results: options.maxSearchResults,
    search_mode: options.searchMode,
    return_related_questions: options.relatedQuestions,
  };
  if (options.searchContextSize !== undefined) {
    body['web_search_options'] = { search_context_size: options.searchContextSize };
  }
  return body;
}

/** An empty list of domains would be a filter that nothing passes. */
export function filled(domains: readonly string[] | undefined): readonly string[] | undefined {
  return domains === undefined || domains.length === 0 ? undefined : domains;
}

/** Reads the chunks of a chat completion, in both of its stream modes. */
export function createChatInterpreter(): Interpreter {
  let knownSources = 0;

  const readSources = (event: JsonObject, gathered: Gathered): void => {
    const citations = asArray(event['citations']);
    const results = asArray(event['search_results']);
    // Repeated with every chunk in the full mode: looked at again only when there are more.
    if (citations.length + results.length <= knownSources) return;
    knownSources = citations.length + results.length;
    const sources = sourcesOfChat(citations, results);
    if (sources.length > 0) gathered.events.push({ type: 'sources', sources });
  };
  const readChoice = (event: JsonObject, gathered: Gathered, isReasoning: boolean): void => {
    const choice = asRecord(asArray(event['choices'])[0]);
    if (choice === null) return;
    const delta = asRecord(choice['delta']);
    if (isReasoning) {
      gathered.isThinking = true;
      readSteps(delta, gathered);
    } else {
      // Never `message.content`: it holds everything so far, not what is new.
      gathered.text += asText(delta?.['content']) ?? '';
    }
    gathered.finish = finishOf(choice) ?? gathered.finish;
  };

  return {
    take(event, gathered, hasText) {
      const kind = asText(event['object']);
      const error = asRecord(event['error']) ?? (kind === null && asText(event['message']) ? event : null);
      if (error !== null) {
        gathered.failure = reportedFailure(error, hasText);
        return;
      }
      readChoice(event, gathered, kind?.startsWith('chat.reasoning') === true);
      readSources(event, gathered);
      gathered.usage = usageOfChat(asRecord(event['usage'])) ?? gathered.usage;
      if (kind === 'chat.completion.done') {
        gathered.finish ??= 'complete';
        gathered.isOver = true;
      }
    },
  };
}

/** How a choice ended; null while it has not. */
export function finishOf(choice: JsonObject | null): Gathered['finish'] {
  const reason = asText(choice?.['finish_reason']);
  return reason === null ? null : (FINISHES[reason] ?? 'complete');
}

const FINISHES: Readonly<Record<string, Gathered['finish']>> = {
  stop: 'complete',
  length: 'length',
  content_filter: 'filtered',
};

function readSteps(delta: JsonObject | null, gathered: Gathered): void {
  for (const step of asArray(delta?.['reasoning_steps'])) {
    const search = asRecord(asRecord(step)?.['web_search']);
    const queries = asArray(search?.['search_keywords']).flatMap((query) => asText(query) ?? []);
    if (queries.length > 0) gathered.events.push({ type: 'searching', queries });
  }
}

export function usageOfChat(usage: JsonObject | null): Usage | null {
  const inputTokens = asNumber(usage?.['prompt_tokens']);
  const outputTokens = asNumber(usage?.['completion_tokens']);
  if (inputTokens === null || outputTokens === null) return null;
  return { inputTokens, outputTokens, cost: asNumber(asRecord(usage?.['cost'])?.['total_cost']) };
}
