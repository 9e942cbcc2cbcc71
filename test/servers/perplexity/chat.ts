import { randomUUID } from 'node:crypto';
import { type Exchange, tokens } from './exchange.ts';
import { sendError, sendJson } from './faults.ts';
import { type Finish, play, type Script } from './play.ts';
import { type ChatRequest, chatRequest, firstIssue } from './schema.ts';
import type { Page } from './sources.ts';
import { type Said, type Topic, topicFor } from './topics.ts';

export const THINKING =
  '<think>\nThe question is about the sea. I should look at the yearly report first,\nthen at <b>costs</b>, and check whether 3 < 4.\n</think>\n\n';

/** Answers one chat completion, streamed or whole. */
export async function answerChat(exchange: Exchange): Promise<void> {
  const { response, body } = exchange;
  const parsed = chatRequest.safeParse(body);
  if (!parsed.success) {
    const isModel = parsed.error.issues[0]?.path[0] === 'model';
    const message = isModel
      ? 'Invalid model. Permitted models can be found in the documentation.'
      : firstIssue(parsed.error);
    return sendError(response, 400, isModel ? 'invalid_model' : 'invalid_request', message);
  }
  const request = parsed.data;
  const roleFault = faultInRoles(request);
  if (roleFault) return sendError(response, 400, 'invalid_message', roleFault);
  const said = conversation(request);
  const fault = exchange.chooseFault(said);
  if (fault === 'handled') return;

  const topic = topicFor(said, body);
  const text = request.model === 'sonar-reasoning-pro' ? THINKING + topic.text : topic.text;
  exchange.record.answer = text;
  const frames = createFrames(request, topic, text);
  if (request.stream === true) return play(response, frames.script, exchange.pace, fault);
  sendJson(response, 200, frames.whole());
}

export function conversation(request: Pick<ChatRequest, 'messages'>): readonly Said[] {
  return request.messages
    .filter(({ role }) => role !== 'system')
    .map(({ role, content }) => ({ role, text: textOf(content) }));
}

/** The system messages in one. */
export function systemPrompt(request: Pick<ChatRequest, 'messages'>): string {
  return request.messages
    .filter(({ role }) => role === 'system')
    .map(({ content }) => textOf(content))
    .join('\n');
}

function textOf(content: ChatRequest['messages'][number]['content']): string {
  return typeof content === 'string'
    ? content
    : content
        .map((part) => ('text' in part ? part.text : ''))
        .filter(Boolean)
        .join('\n');
}

/** Optional system messages first, then user and assistant in turn, a user last. */
export function faultInRoles({ messages }: Pick<ChatRequest, 'messages'>): string | null {
  const rest = messages.slice(messages.findIndex(({ role }) => role !== 'system'));
  const alternates = rest.every(({ role }, index) => role === (index % 2 === 0 ? 'user' : 'assistant'));
  if (!alternates) {
    return 'After the (optional) system message(s), user and assistant roles should be alternating.';
  }
  return rest.at(-1)?.role === 'user' ? null : 'Last message must have role `user`.';
}

function createFrames(
  request: ChatRequest,
  topic: Topic,
  text: string,
): { script: Script; whole: () => object } {
  const isConcise = request.stream_mode === 'concise';
  const isReasoning = request.model === 'sonar-reasoning-pro';
  const base = { id: randomUUID(), model: request.model, created: Math.floor(Date.now() / 1000) };
  const found = {
    citations: topic.sources.map((page) => page.url),
    search_results: topic.sources.map(searchResult),
    ...(request.return_related_questions ? { related_questions: topic.related } : {}),
    ...(request.return_images ? { images: [] } : {}),
  };
  const promptTokens = tokens(JSON.stringify(request.messages));
  const prefix = { opening: text === topic.text ? '' : THINKING };
  let sofar = '';

  const chunk = (object: string, rest: object): string =>
    `data: ${JSON.stringify({ ...base, object, ...rest })}\n\n`;
  const usage = (written: string, withCost: boolean): object =>
    usageOf(request, promptTokens, written, withCost);
  const choice = (delta: object, finish: Finish | null, message?: string): object => ({
    index: 0,
    delta,
    ...(message === undefined ? {} : { message: { role: 'assistant', content: message } }),
    finish_reason: finish,
  });

  const script: Script = {
    text,
    maxPieces: request.max_tokens ?? null,
    opening: () => (isConcise && isReasoning ? reasoning(chunk, choice, topic, found, usage('', false)) : []),
    delta(piece) {
      sofar += piece;
      if (isConcise) return chunk('chat.completion.chunk', { choices: [choice({ content: piece }, null)] });
      return chunk('chat.completion.chunk', {
        ...(topic.isLate ? {} : found),
        usage: usage(sofar, false),
        choices: [choice({ role: 'assistant', content: piece }, null, sofar)],
      });
    },
    closing: (finish, written) => [
      chunk('chat.completion.done', {
        ...found,
        usage: usage(written, true),
        choices: [choice({ role: 'assistant', content: '' }, finish, written.slice(prefix.opening.length))],
      }),
      'data: [DONE]\n\n',
    ],
    error: () =>
      `data: ${JSON.stringify({ error: { message: 'Internal error.', type: 'internal', code: 500 } })}\n\n`,
    failed: () =>
      `event: error\ndata: ${JSON.stringify({ message: 'Run failed.', type: 'internal', code: 500 })}\n\n`,
    odd: () => [
      chunk('chat.completion.chunk', { choices: null }),
      chunk('chat.completion.chunk', {
        choices: [],
        usage: null,
        citations: 'none',
        search_results: [null, 7],
      }),
      chunk('chat.completion.chunk', { choices: [{ delta: { content: 42 } }] }),
      'event: ping\ndata: null\n\n',
      'data: "text"\n\n',
      chunk('chat.unheard.of', { choices: [{ delta: null }] }),
    ],
  };
  return {
    script,
    whole: () => ({
      ...base,
      object: 'chat.completion',
      ...found,
      usage: usage(text, true),
      choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    }),
  };
}

function reasoning(
  chunk: (object: string, rest: object) => string,
  choice: (delta: object, finish: Finish | null) => object,
  topic: Topic,
  found: object,
  usage: object,
): readonly string[] {
  const results = topic.sources.map(searchResult);
  const step = {
    thought: 'Looking for recent reports.',
    type: 'web_search',
    web_search: { search_keywords: ['tidal power first year', 'tidal cost 2026'], search_results: results },
  };
  return [
    chunk('chat.reasoning', {
      choices: [choice({ role: 'assistant', content: '', reasoning_steps: [step] }, null)],
    }),
    chunk('chat.reasoning.done', {
      ...(topic.isLate ? {} : found),
      usage,
      choices: [choice({ role: 'assistant', content: '' }, null)],
    }),
  ];
}

function usageOf(request: ChatRequest, promptTokens: number, written: string, withCost: boolean): object {
  const completionTokens = tokens(written);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    search_context_size: request.web_search_options?.search_context_size ?? 'low',
    ...(withCost
      ? {
          cost: {
            input_tokens_cost: promptTokens / 1e6,
            output_tokens_cost: completionTokens / 1e6,
            request_cost: 0.005,
            total_cost: (promptTokens + completionTokens) / 1e6 + 0.005,
          },
        }
      : {}),
  };
}

export function searchResult(page: Page): object {
  return { ...page, last_updated: page.date, source: 'web' };
}
