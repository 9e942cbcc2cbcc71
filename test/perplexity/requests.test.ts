import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnswerOptions } from '../../src/core/types.ts';
import { createPerplexity, type PerplexityOptions } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

let server: PerplexityServer;
beforeAll(async () => {
  server = await startPerplexityServer();
});
afterAll(() => server.close());

const EVERY_OPTION: AnswerOptions = {
  profile: 'sonar-pro',
  maxTokens: 500,
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

async function ask(options: AnswerOptions, service: Partial<PerplexityOptions>) {
  const { log } = createSilentLog();
  const defaults = { apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log } as const;
  const { model } = createPerplexity({ ...defaults, ...service });
  const outcome = await outcomeOf(model, question('How are the tides?', options));
  return { ...outcome, request: server.requests.at(-1) };
}

describe('chat completions', () => {
  test('every option goes where the service looks for it', async () => {
    const { request, failure, events } = await ask(EVERY_OPTION, {});
    expect(failure).toBeNull();
    expect(events.some((event) => event.type === 'notice')).toBe(false);
    expect(request?.path).toBe('/chat/completions');
    expect(request?.body).toEqual({
      model: 'sonar-pro',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'How are the tides?' },
      ],
      stream: true,
      stream_mode: 'concise',
      return_images: false,
      max_tokens: 500,
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
    });
  });

  test('options that are not set are not sent', async () => {
    const { request } = await ask({ domains: [] }, {});
    expect(Object.keys(request?.body ?? {})).toEqual([
      'model',
      'messages',
      'return_images',
      'stream',
      'stream_mode',
    ]);
  });

  test('a value the service refuses is rejected', async () => {
    const { failure } = await ask({ domains: ['example.org', '-example.com'] }, {});
    expect(failure).toMatchObject({ kind: 'rejected', remedy: expect.stringContaining('sites') });
  });

  test('a reasoning model shows that it thinks and searches, not what it thinks', async () => {
    const { events, text, request } = await ask({ profile: 'sonar-reasoning-pro' }, {});
    expect(request?.answer).toMatch(/^<think>/);
    expect(text).toMatch(/^You asked/);
    expect(text).not.toContain('think');
    expect(events.filter((event) => event.type === 'thinking')).toHaveLength(1);
    expect(events.find((event) => event.type === 'searching')).toMatchObject({
      queries: expect.arrayContaining(['tidal cost 2026']),
    });
    expect(events.findIndex((event) => event.type === 'sources')).toBeLessThan(
      events.findIndex((event) => event.type === 'text'),
    );
  });
});

test.each([
  ['sonar-reasoning-pro', 'The answer [1].'],
  ['sonar-pro', 'Okay, the user wants X.\n</think>\n\nThe answer [1].'],
] as const)(
  'the text of %s may begin with thoughts whose opening tag is missing: %j',
  async (profile, shown) => {
    const content = 'Okay, the user wants X.\n</think>\n\nThe answer [1].';
    const choices = [{ index: 0, delta: { content }, finish_reason: 'stop' }];
    server.fault((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n`);
    });
    expect((await ask({ profile }, {})).text).toBe(shown);
  },
);

test('thoughts in a field of their own are none of the text, which is not waited for', async () => {
  const says = (delta: object, finish_reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const events = [
    says({ reasoning_content: 'Okay.' }),
    says({ content: 'High' }),
    says({ content: '.' }, 'stop'),
  ];
  server.fault((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events.join(''));
  });
  const outcome = await ask({ profile: 'sonar-reasoning-pro' }, {});
  expect(outcome.events.map(({ type }) => type)).toEqual(['thinking', 'text', 'text', 'done']);
});

describe('agent API', () => {
  test('options it has are sent, the others are named in one notice', async () => {
    const { request, failure, events } = await ask(EVERY_OPTION, { api: 'agent' });
    expect(failure).toBeNull();
    expect(request?.path).toBe('/v1/responses');
    expect(request?.body).toEqual({
      model: 'perplexity/sonar',
      input: [{ type: 'message', role: 'user', content: 'How are the tides?' }],
      instructions: 'Be brief.',
      stream: true,
      store: false,
      max_output_tokens: 500,
      temperature: 0.3,
      top_p: 0.8,
      tools: [
        {
          type: 'web_search',
          search_context_size: 'medium',
          max_results: 7,
          filters: { search_domain_filter: ['example.org', 'example.com'], search_recency_filter: 'week' },
        },
      ],
    });
    const notices = events.filter((event) => event.type === 'notice');
    expect(notices).toHaveLength(1);
    expect(notices[0]?.text).toMatch(/presence penalty, frequency penalty, search mode academic, related/);
  });

  test('a plain question searches and needs no notice', async () => {
    const { request, events } = await ask({ profile: 'sonar' }, { api: 'agent' });
    expect(request?.body).toMatchObject({ model: 'perplexity/sonar', tools: [{ type: 'web_search' }] });
    expect(events.some((event) => event.type === 'notice')).toBe(false);
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['searching', 'sources']);
  });

  test('fewer tokens than the service accepts become the least it accepts', async () => {
    const { request, failure } = await ask({ maxTokens: 3 }, { api: 'agent' });
    expect(failure).toBeNull();
    expect(request?.body).toMatchObject({ max_output_tokens: 16 });
  });

  test('a preset chosen by configuration replaces the model and brings its own search', async () => {
    const profiles = { 'sonar-pro': { agent: { preset: 'low' } } };
    const { request, events, sources } = await ask({ profile: 'sonar-pro' }, { api: 'agent', profiles });
    expect(request?.body).toMatchObject({ preset: 'low' });
    expect(request?.body).not.toHaveProperty('model');
    expect(request?.body).not.toHaveProperty('tools');
    expect(events.some((event) => event.type === 'notice')).toBe(false);
    expect(sources).toHaveLength(4);
  });

  test('a model the service does not have is rejected with a remedy', async () => {
    const profiles = { sonar: { agent: { model: 'sonar' } } };
    const { failure } = await ask({}, { api: 'agent', profiles });
    expect(failure).toMatchObject({ kind: 'rejected', remedy: expect.stringContaining('model') });
  });
});

describe('base address', () => {
  test.for([
    ['', '/chat/completions'],
    ['/', '/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/v1/', '/v1/chat/completions'],
  ] as const)('with %j at its end it serves both APIs', async ([end, chatPath]) => {
    const baseUrl = server.url + end;
    expect((await ask({}, { baseUrl })).request?.path).toBe(chatPath);
    expect((await ask({}, { baseUrl, api: 'agent' })).request?.path).toBe('/v1/responses');
  });
});
