import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnswerOptions, EFFORTS, type Effort } from '../../src/core/types.ts';
import { createPerplexity, type PerplexityOptions } from '../../src/perplexity/perplexity.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

let server: PerplexityServer;
beforeAll(async () => {
  server = await startPerplexityServer();
});
afterAll(() => server.close());

const KEY = '7f9c3a52-0b1e-5d61-9f0a-3b0a5d3c1e11';
const MESSAGES = [
  { role: 'user', text: 'How are the tides?' },
  { role: 'assistant', text: 'High.' },
  { role: 'user', text: 'Go deeper.' },
] as const;
const SENT = MESSAGES.map(({ role, text }) => ({ role, content: text }));
const EVERY_OPTION: AnswerOptions = {
  profile: 'sonar-pro',
  maxTokens: 20_000,
  temperature: 0.3,
  topP: 0.8,
  presencePenalty: 0.5,
  frequencyPenalty: -0.5,
  recency: 'week',
  domains: ['example.org', 'example.com'],
  maxSearchResults: 7,
  searchContextSize: 'medium',
  searchMode: 'academic',
  relatedQuestions: true,
};

interface Sending {
  readonly options?: AnswerOptions;
  readonly effort?: Effort;
  readonly system?: string | null;
}

async function submit(
  service: Partial<PerplexityOptions>,
  { options = {}, effort = 'medium', system = 'Begin with `## Summary`.' }: Sending = {},
) {
  const { log } = createSilentLog();
  const defaults = { apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log } as const;
  const { research } = createPerplexity({ ...defaults, ...service });
  const { signal } = new AbortController();
  const request = { system, messages: MESSAGES, options };
  const result = await research.submit({ api: research.api(), request, effort, key: KEY, signal });
  return { result, sent: server.requests.at(-1), research, signal };
}

describe('asynchronous chat completions', () => {
  test('a job is a chat completion with a key, every option in its place', async () => {
    const { sent, result } = await submit({}, { options: EVERY_OPTION });
    expect(sent).toMatchObject({ method: 'POST', path: '/async/chat/completions', status: 200 });
    expect(result).toEqual({ upstream: server.research.jobs.at(-1)?.id });
    expect(sent?.body).toEqual({
      idempotency_key: KEY,
      request: {
        model: 'sonar-deep-research',
        messages: [{ role: 'system', content: 'Begin with `## Summary`.' }, ...SENT],
        reasoning_effort: 'medium',
        return_images: false,
        max_tokens: 20_000,
        temperature: 0.3,
        top_p: 0.8,
        presence_penalty: 0.5,
        frequency_penalty: -0.5,
        search_recency_filter: 'week',
        search_domain_filter: ['example.org', 'example.com'],
        num_search_results: 7,
        search_mode: 'academic',
        return_related_questions: true,
        web_search_options: { search_context_size: 'medium' },
      },
    });
  });

  test('what is not set is not sent', async () => {
    const { sent } = await submit({}, { system: null, effort: 'low' });
    expect(sent?.body).toEqual({
      idempotency_key: KEY,
      request: {
        model: 'sonar-deep-research',
        messages: SENT,
        reasoning_effort: 'low',
        return_images: false,
      },
    });
  });
});

describe('background runs', () => {
  test('a run is stored, and what this API lacks is named in one notice', async () => {
    const { sent, result } = await submit({ api: 'agent' }, { options: EVERY_OPTION });
    expect(sent).toMatchObject({ method: 'POST', path: '/v1/responses', status: 200 });
    expect(sent?.body).toEqual({
      preset: 'high',
      input: SENT.map((message) => ({ type: 'message', ...message })),
      instructions: 'Begin with `## Summary`.',
      background: true,
      store: true,
      metadata: { footnote_job: KEY },
      max_output_tokens: 20_000,
      temperature: 0.3,
      top_p: 0.8,
      tools: [
        {
          type: 'web_search',
          search_context_size: 'medium',
          max_results: 7,
          filters: { search_domain_filter: ['example.org', 'example.com'], search_recency_filter: 'week' },
        },
        { type: 'fetch_url' },
      ],
    });
    expect(result).toEqual({
      upstream: server.research.jobs.at(-1)?.id,
      notice: expect.stringMatching(/presence penalty, frequency penalty, search mode academic, related/),
    });
  });

  test.for([
    ['low', 'medium'],
    ['medium', 'high'],
    ['high', 'xhigh'],
  ] as const)('the effort %s is the preset %s, with its own tools', async ([effort, preset]) => {
    const { sent, result } = await submit({ api: 'agent' }, { effort });
    expect(sent?.body).toEqual({
      preset,
      input: SENT.map((message) => ({ type: 'message', ...message })),
      instructions: 'Begin with `## Summary`.',
      background: true,
      store: true,
      metadata: { footnote_job: KEY },
    });
    expect(result).not.toHaveProperty('notice');
  });

  test('one configured entry is sent for every effort', async () => {
    const profiles = { 'sonar-deep-research': { agent: { effort: 'high' } } };
    for (const effort of EFFORTS) {
      const { sent } = await submit({ api: 'agent', profiles }, { effort });
      expect(sent?.body).toMatchObject({ effort: 'high' });
      expect(sent?.body).not.toHaveProperty('preset');
    }
  });

  test('entries may be configured by effort; the others keep theirs', async () => {
    const agent = { high: { model: 'perplexity/sonar', reasoning: { effort: 'high' } } };
    const profiles = { 'sonar-deep-research': { agent } };
    const high = await submit({ api: 'agent', profiles }, { effort: 'high' });
    expect(high.sent?.body).toMatchObject({
      model: 'perplexity/sonar',
      reasoning: { effort: 'high' },
      tools: [{ type: 'web_search', search_context_size: 'high' }, { type: 'fetch_url' }],
    });
    const low = await submit({ api: 'agent', profiles }, { effort: 'low' });
    expect(low.sent?.body).toMatchObject({ preset: 'medium' });
  });

  test('a gateway that knows only the other address for it is asked to cancel there', async () => {
    const { research, result, signal } = await submit({ api: 'agent' });
    const { upstream } = result;
    server.fault('404', 1, 'cancel');
    expect(await research.cancel('agent', upstream, signal)).toBe(true);
    expect(server.requests.slice(-2).map(({ path }) => path)).toEqual([
      `/v1/agent/${upstream}/cancel`,
      `/v1/responses/${upstream}/cancel`,
    ]);
  });

  test.for([
    ['429', 'rate-limited'],
    ['502', 'unreachable'],
    ['html', 'malformed'],
  ] as const)('a cancellation that meets %s fails as %s', async ([fault, kind]) => {
    const { research, result, signal } = await submit({ api: 'agent' });
    server.fault(fault, 1, 'cancel');
    const { upstream } = result;
    await expect(research.cancel('agent', upstream, signal)).rejects.toMatchObject({ kind });
  });
});

test.for(['', '/', '/v1', '/v1/'])('with %j at its end the base address serves both APIs', async (end) => {
  const baseUrl = server.url + end;
  const chat = await submit({ baseUrl });
  expect(chat.sent?.path).toBe('/async/chat/completions');
  const agent = await submit({ baseUrl, api: 'agent' });
  expect(agent.sent?.path).toBe('/v1/responses');
  const jobs = await chat.research.list(chat.signal);
  expect(jobs?.length).toBeGreaterThan(0);
});

test('a list that never ends is not read for ever', async () => {
  const { research, signal } = await submit({});
  server.fault(
    (response) => response.end(JSON.stringify({ requests: [{ id: 'a' }, 7, {}], next_token: 'again' })),
    5,
    'list',
  );
  const jobs = await research.list(signal);
  expect(jobs).toEqual([
    { upstream: 'a', state: 'running', createdAt: null },
    { upstream: 'a', state: 'running', createdAt: null },
  ]);
});
