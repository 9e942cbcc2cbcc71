import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions/completions';
import type { AnswerEvent, ModelFile, ModelMessage, ModelRequest, Usage } from '../core/types.ts';
import { asArray, asNumber, asRecord, asText, type JsonObject } from '../core/untrusted.ts';
import type { Profile } from './profiles.ts';
import { createSourceList, parseChatSources, parseUrlCitations } from './sources.ts';
import type { ChunkParser, Finish, ParsedChunk } from './stream.ts';

/** The fields that Perplexity adds to a chat completion; the service drops those it does not know without a word. */
declare module 'openai/resources/chat/completions/completions' {
  interface ChatCompletionCreateParamsBase {
    stream_mode?: 'full' | 'concise';
    search_recency_filter?: 'hour' | 'day' | 'week' | 'month' | 'year';
    search_domain_filter?: readonly string[];
    num_search_results?: number;
    search_mode?: 'web' | 'academic' | 'sec';
    return_images?: boolean;
    return_related_questions?: boolean;
  }
}

/** The body of a streamed chat completion. */
export function buildChatBody(request: ModelRequest, profile: Profile): ChatCompletionCreateParamsStreaming {
  return {
    ...buildChatRequest(request, profile),
    stream: true,
    // The default mode repeats the whole text and all sources with every token: quadratic in the answer's length.
    stream_mode: 'concise',
  };
}

/** What is asked, however it is answered. */
export function buildChatRequest(
  { system, messages, options }: ModelRequest,
  profile: Profile,
): Omit<ChatCompletionCreateParamsStreaming, 'stream'> {
  const size = options.searchContextSize;
  return omitUndefined({
    model: profile.name,
    messages: [
      ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
      ...messages.map(toChatMessage),
    ],
    return_images: false,
    max_tokens: options.maxTokens,
    temperature: options.temperature,
    top_p: options.topP,
    presence_penalty: options.presencePenalty,
    frequency_penalty: options.frequencyPenalty,
    search_recency_filter: options.recency,
    search_domain_filter: omitEmpty(options.domains),
    num_search_results: options.maxSearchResults,
    search_mode: options.searchMode,
    return_related_questions: options.relatedQuestions,
    web_search_options: size === undefined ? undefined : { search_context_size: size },
  });
}

function toChatMessage({ role, text, files = [] }: ModelMessage): ChatCompletionMessageParam {
  if (role === 'assistant') return { role, content: text };
  if (files.length === 0) return { role, content: text };
  return { role, content: [{ type: 'text', text }, ...files.map(toChatPart)] };
}

function toChatPart({ name, type, data }: ModelFile): ChatCompletionContentPart {
  if (type !== 'application/pdf')
    return { type: 'image_url', image_url: { url: `data:${type};base64,${data}` } };
  // Perplexity's own, which openai's types do not have: Base64 without a prefix.
  return {
    type: 'file_url',
    file_url: { url: data },
    file_name: name,
  } as unknown as ChatCompletionContentPart;
}

/** Without the fields that are undefined; JSON has no such value, and openai's types do not allow it. */
export function omitUndefined<Fields extends object>(fields: Fields): Defined<Fields> {
  // Exactly what the filter does: those fields are not there.
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>;
}

/** Fields that may be undefined become optional. */
type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** An empty list of domains would be a filter that nothing passes. */
export function omitEmpty(domains: readonly string[] | undefined): readonly string[] | undefined {
  return domains === undefined || domains.length === 0 ? undefined : domains;
}

/** Parses the chunks of a chat completion, in both of its stream modes. */
export function createChatParser(): ChunkParser {
  const newSources = createSourceReader();
  return (chunk) => {
    const kind = asText(chunk['object']);
    const error = asRecord(chunk['error']) ?? (kind === null && asText(chunk['message']) ? chunk : null);
    if (error !== null) return { error };
    const choice = asRecord(asArray(chunk['choices'])[0]);
    const delta = asRecord(choice?.['delta']);
    const isStep = choice !== null && kind?.startsWith('chat.reasoning') === true;
    // Gateways have a field for thoughts.
    const isThought = ['reasoning_content', 'reasoning'].some((name) => asText(delta?.[name]) !== null);
    return {
      // Never `message.content`: it holds everything so far, not what is new.
      text: isStep ? '' : (asText(delta?.['content']) ?? ''),
      isThinking: isStep || isThought,
      events: [
        ...(isStep ? parseSearchSteps(delta) : []),
        ...newSources(chunk, choice),
        ...parseRelated(chunk['related_questions']),
      ],
      usage: parseChatUsage(asRecord(chunk['usage'])),
      finish: parseFinish(choice),
      isLast: kind === 'chat.completion.done',
    };
  };
}

/** Reads the sources of a chunk; an event only when there are new ones. */
function createSourceReader() {
  let known = 0;
  const annotated = createSourceList();
  return (chunk: JsonObject, choice: JsonObject | null): AnswerEvent[] => {
    const citations = asArray(chunk['citations']);
    const results = asArray(chunk['search_results']);
    // Repeated with every chunk in the full mode: parsed again only when there are more.
    if (citations.length + results.length > known) {
      known = citations.length + results.length;
      const sources = parseChatSources(citations, results);
      return sources.length > 0 ? [{ type: 'sources', sources }] : [];
    }
    // Gateways annotate the text instead.
    const parts = [asRecord(choice?.['delta']), asRecord(choice?.['message'])];
    const pages = parts.flatMap((part) => parseUrlCitations(part?.['annotations']));
    if (known > 0 || !annotated.add(pages)) return [];
    return [{ type: 'sources', sources: annotated.all() }];
  };
}

function parseRelated(list: unknown): AnswerEvent[] {
  const questions = asArray(list).flatMap((question) => asText(question) ?? []);
  return questions.length > 0 ? [{ type: 'related', questions }] : [];
}

/** How a choice ended; null while it has not. */
export function parseFinish(choice: JsonObject | null): Finish | null {
  const reason = asText(choice?.['finish_reason']);
  return reason === null ? null : (FINISHES[reason.toLowerCase()] ?? 'complete');
}

const FINISHES: Readonly<Record<string, Finish>> = {
  stop: 'complete',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  content_filter: 'filtered',
  safety: 'filtered',
};

function parseSearchSteps(delta: JsonObject | null): ParsedChunk['events'] {
  return asArray(delta?.['reasoning_steps']).flatMap((step) => {
    const search = asRecord(asRecord(step)?.['web_search']);
    return parseQueries(search?.['search_keywords']);
  });
}

/** The event of a search, by its list of queries; none when the list holds no query. */
export function parseQueries(list: unknown): ParsedChunk['events'] {
  const queries = asArray(list).flatMap((query) => asText(query) ?? []);
  return queries.length > 0 ? [{ type: 'searching', queries }] : [];
}

export function parseChatUsage(usage: JsonObject | null): Usage | null {
  const inputTokens = asNumber(usage?.['prompt_tokens']);
  const outputTokens = asNumber(usage?.['completion_tokens']);
  if (inputTokens === null || outputTokens === null) return null;
  return { inputTokens, outputTokens, cost: asNumber(asRecord(usage?.['cost'])?.['total_cost']) };
}
