import { randomUUID } from 'node:crypto';
import { conversation, QUERIES, searchResult, usageOf } from './agent-parts.ts';
import { beginRun } from './agent-runs.ts';
import { type Exchange, tokens } from './exchange.ts';
import { sendError, sendJson } from './faults.ts';
import { type Finish, play, type Script } from './play.ts';
import { type AgentRequest, agentRequest, firstIssue } from './schema.ts';
import { type Topic, topicFor } from './topics.ts';

/** Answers one run of the Agent API, streamed or whole. */
export async function answerAgent(exchange: Exchange): Promise<void> {
  const { response, body } = exchange;
  const parsed = agentRequest.safeParse(body);
  if (!parsed.success) return sendError(response, 400, 'invalid_request', firstIssue(parsed.error));
  const request = parsed.data;
  const model = request.model ?? request.models?.[0];
  if (model !== undefined && !/^[a-z-]+\/[\w.-]+$/.test(model)) {
    return sendError(response, 400, 'invalid_request', `model "${model}" is not supported`);
  }
  if (model?.startsWith('anthropic/') && request.max_output_tokens === undefined) {
    return sendError(response, 400, 'invalid_request', 'max_output_tokens is required for this model');
  }
  if (request.background === true) return beginRun(exchange, request);
  const said = conversation(request);
  const fault = exchange.chooseFault(said);
  if (fault === 'handled') return;

  const searches = request.preset !== undefined || request.tools?.some((tool) => tool.type === 'web_search');
  const answer = topicFor(said, body);
  const topic = searches === true ? answer : { ...answer, sources: [] };
  exchange.record.answer = topic.text;
  const run = createRun(request, topic);
  if (request.stream === true) return play(response, run.script, exchange.pace, fault);
  sendJson(response, 200, run.whole());
}

function createRun(request: AgentRequest, topic: Topic): { script: Script; whole: () => object } {
  const inputTokens = tokens(JSON.stringify(request.input));
  const messageId = `msg_${randomUUID()}`;
  const base = {
    id: `resp_${randomUUID()}`,
    object: 'response',
    model: request.model ?? request.models?.[0] ?? request.preset ?? request.effort,
    created_at: Math.floor(Date.now() / 1000),
    background: false,
    store: request.store ?? true,
    error: null,
    incomplete_details: null,
  };
  const results = topic.sources.map(searchResult);
  const found = { type: 'search_results', queries: QUERIES, results };
  let sequence = 0;
  const event = (type: string, rest: object): string =>
    `data: ${JSON.stringify({ type, sequence_number: sequence++, ...rest })}\n\n`;
  const searching = (): readonly string[] => (results.length === 0 ? [] : searchFrames(event, found));
  const message = (text: string, status: string): object => ({
    type: 'message',
    id: messageId,
    role: 'assistant',
    status,
    content: [{ type: 'output_text', text, annotations: [] }],
  });
  const ended = (status: string, text: string, rest: object = {}): object => ({
    ...base,
    status,
    completed_at: Math.floor(Date.now() / 1000),
    output: [...(results.length === 0 ? [] : [found]), ...(text === '' ? [] : [message(text, status)])],
    usage: usageOf(inputTokens, text, results.length > 0),
    ...rest,
  });

  const script: Script = {
    text: topic.text,
    maxPieces: request.max_output_tokens ?? null,
    opening: () => [
      event('response.created', { response: { ...base, status: 'in_progress', output: [], usage: null } }),
      event('response.in_progress', {
        response: { ...base, status: 'in_progress', output: [], usage: null },
      }),
      ...(topic.isLate ? [] : searching()),
      event('response.output_item.added', {
        output_index: 1,
        item: { type: 'message', id: messageId, role: 'assistant', status: 'in_progress', content: null },
      }),
    ],
    delta: (piece) =>
      event('response.output_text.delta', {
        item_id: messageId,
        output_index: 1,
        content_index: 0,
        delta: piece,
      }),
    closing: (finish, text) => [
      event('response.output_text.done', { item_id: messageId, output_index: 1, content_index: 0, text }),
      ...(topic.isLate ? searching() : []),
      event('response.output_item.done', { output_index: 1, item: message(text, 'completed') }),
      terminal(event, ended, finish, text),
    ],
    error: () => `data: ${JSON.stringify({ type: 'error', message: 'Internal error.', code: '500' })}\n\n`,
    failed: () =>
      event('response.failed', {
        response: ended('failed', '', { error: { code: 'server_error', message: 'Run failed.' } }),
      }),
    odd: () => [
      event('response.unheard.of', { delta: 'not text' }),
      event('response.output_text.delta', { delta: null }),
      event('response.reasoning.search_results', {
        results: [null, { url: 7 }, { url: 'javascript:alert(1)' }],
      }),
      event('response.output_item.done', { item: null }),
      'event: ping\ndata: null\n\n',
      'data: "text"\n\n',
    ],
  };
  return { script, whole: () => ended('completed', topic.text) };
}

function terminal(
  event: (type: string, rest: object) => string,
  ended: (status: string, text: string, rest?: object) => object,
  finish: Finish,
  text: string,
): string {
  if (finish === 'stop') return event('response.completed', { response: ended('completed', text) });
  const reason = finish === 'length' ? 'max_output_tokens' : 'content_filter';
  const response = ended('incomplete', text, { incomplete_details: { reason } });
  return event('response.incomplete', { response });
}

function searchFrames(event: (type: string, rest: object) => string, found: { results: object[] }): string[] {
  const call = { type: 'function_call', id: `fc_${randomUUID()}`, name: 'search_web', status: 'in_progress' };
  return [
    event('response.output_item.added', { output_index: 0, item: call }),
    event('response.reasoning.search_queries', { queries: QUERIES, thought: 'Looking for recent reports.' }),
    event('response.reasoning.search_results', { results: found.results }),
    event('response.output_item.done', { output_index: 0, item: found }),
  ];
}
