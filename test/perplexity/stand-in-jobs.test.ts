import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type PerplexityServer,
  type PerplexityServerOptions,
  type PerplexityState,
  startPerplexityServer,
} from '../servers/perplexity/server.ts';

async function start(options: PerplexityServerOptions = {}) {
  const server = await startPerplexityServer(options);
  onTestFinished(() => server.close());
  return { server, call: caller(server) };
}

function caller(server: PerplexityServer) {
  return async (method: 'GET' | 'POST', path: string, body?: object) => {
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    // Only ever this server's own JSON.
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
  };
}

type Answer = Record<string, unknown> & { readonly id: string };

const CHAT = '/async/chat/completions';
const chat = (text: string, rest: object = {}, request: object = {}): object => ({
  request: { model: 'sonar-deep-research', messages: [{ role: 'user', content: text }], ...request },
  ...rest,
});
const agent = (text: string, rest: object = {}): object => ({
  preset: 'high',
  input: text,
  background: true,
  store: true,
  ...rest,
});

describe('the stand-in refuses', () => {
  const CASES: readonly (readonly [string, string, object, RegExp])[] = [
    ['a chat job with an unknown field', CHAT, chat('x', { key: 'a' }), /unknown field.*key/],
    ['a chat job without a request', CHAT, { idempotency_key: 'a' }, /request/],
    ['another model than deep research', CHAT, chat('x', {}, { model: 'sonar-pro' }), /invalid_model/],
    ['a chat job that streams', CHAT, chat('x', {}, { stream: true }), /unknown field.*stream/],
    [
      'a filter in the wrong place',
      CHAT,
      chat('x', {}, { web_search_options: { recency: 'day' } }),
      /unknown/,
    ],
    [
      'an assistant at the end',
      CHAT,
      chat('x', {}, { messages: [{ role: 'assistant', content: 'x' }] }),
      /altern/,
    ],
    [
      'a run with an unknown field',
      '/v1/responses',
      agent('x', { reasoning_effort: 'low' }),
      /unknown field/,
    ],
    ['a run with a key', '/v1/agent', agent('x', { idempotency_key: 'a' }), /unknown field/],
    [
      'more metadata than there may be',
      '/v1/agent',
      agent('x', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'v'])) }),
      /16 keys/,
    ],
  ];

  test.for(CASES)('%s', async ([, path, body, message]) => {
    const { server, call } = await start();
    const answer = await call('POST', path, body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toMatch(message);
    expect(server.research.jobs).toEqual([]);
  });

  test('a list with an unknown parameter or token', async () => {
    const { call } = await start();
    expect((await call('GET', `${CHAT}?page=2`)).status).toBe(400);
    expect((await call('GET', `${CHAT}?next_token=xyz`)).status).toBe(400);
  });

  test('to cancel a run twice, one that is over, or one it does not know', async () => {
    const { server, call } = await start({ jobs: { takesMs: 3_600_000, speed: 1 } });
    const { body: run } = await call('POST', '/v1/agent', agent('x'));
    const cancel = `/v1/agent/${run.id}/cancel`;
    expect((await call('POST', cancel)).body).toEqual({ response_id: run.id, status: 'cancelling' });
    expect((await call('POST', cancel)).status).toBe(400);
    expect((await call('GET', `/v1/responses/${run.id}`)).body).toMatchObject({
      status: 'cancelled',
      usage: null,
    });
    expect((await call('POST', '/v1/agent/resp_x/cancel')).status).toBe(400);
    server.research.finish();
    expect(server.research.jobs[0]?.state()).toBe('cancelled');
  });
});

describe('the stand-in keeps', () => {
  test('a chat job by its key, with its times', async () => {
    const { server, call } = await start({ jobs: { takesMs: 3_600_000, speed: 1 } });
    const first = await call('POST', CHAT, chat('tides', { idempotency_key: 'k' }));
    expect(first.body).toMatchObject({ status: 'CREATED', model: 'sonar-deep-research', started_at: null });
    expect((await call('POST', CHAT, chat('tides', { idempotency_key: 'k' }))).body.id).toBe(first.body.id);
    expect(server.research.jobs).toHaveLength(1);
    expect(server.research.submissions.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['k', 'created'],
      ['k', 'repeated'],
    ]);
    server.research.finish(first.body.id);
    const { body } = await call('GET', `/v1/async/sonar/${first.body.id}`);
    expect(body).toMatchObject({ status: 'COMPLETED', failed_at: null });
    expect(body).not.toHaveProperty('error_message');
    expect(body['completed_at']).toBeGreaterThanOrEqual(Number(first.body['created_at']));
    expect(JSON.stringify(body['response'])).toContain('<think>');
    expect(server.research.jobs[0]?.looks).toHaveLength(1);
  });

  test('a run only when it is to be stored', async () => {
    const { call } = await start();
    const kept = await call('POST', '/v1/agent', agent('x'));
    expect(kept.body).toMatchObject({ status: 'queued', object: 'response', output: [], usage: null });
    expect((await call('GET', `/v1/agent/${kept.body.id}`)).status).toBe(200);
    const lost = await call('POST', '/v1/agent', agent('x', { store: false }));
    expect((await call('GET', `/v1/agent/${lost.body.id}`)).status).toBe(404);
  });

  test('what takes forty minutes for as long as its speed says', async () => {
    const { server, call } = await start({ jobs: { takesMs: 2_400_000, speed: 6_000 } });
    await call('POST', CHAT, chat('tides'));
    await call('POST', CHAT, chat('tides takes:40m speed:4000'));
    const began = Date.now();
    const [quick, slow] = server.research.jobs;
    await vi.waitFor(() => expect(quick?.state()).toBe('done'), { interval: 10 });
    expect(Date.now() - began).toBeGreaterThan(300);
    expect(slow?.state()).toBe('running');
    await vi.waitFor(() => expect(slow?.state()).toBe('done'), { interval: 10 });
    expect(Date.now() - began).toBeGreaterThan(500);
  });

  test('jobs no longer than its retention', async () => {
    const { call } = await start({ jobs: { retentionMs: 50, takesMs: 0 } });
    const { body } = await call('POST', CHAT, chat('tides'));
    await vi.waitFor(async () => expect((await call('GET', `${CHAT}/${body.id}`)).status).toBe(404));
    expect((await call('GET', CHAT)).body['requests']).toEqual([]);
  });
});

describe('the stand-in goes on', () => {
  test('from a snapshot: jobs end on time while it is away, and are known by id, key and course', async () => {
    const before = await start({ jobs: { takesMs: 200, speed: 1 } });
    let changes = 0;
    before.server.onChange(() => changes++);
    const { body: job } = await before.call('POST', CHAT, chat('tides', { idempotency_key: 'k' }));
    const { body: run } = await before.call('POST', '/v1/agent', agent('fault:job-nullx2 waves'));
    expect(changes).toBe(2);
    const saved: unknown = JSON.parse(JSON.stringify(before.server.snapshot()));
    await before.server.close();
    await vi.waitFor(() => expect(before.server.research.jobs[1]?.state()).toBe('done'));

    const { server, call } = await start({ state: saved as PerplexityState });
    expect(server.research.jobs.map(({ question }) => question)).toEqual(['tides', 'fault:job-nullx2 waves']);
    expect((await call('GET', `${CHAT}/${job.id}`)).body).toMatchObject({ status: 'COMPLETED' });
    expect((await call('POST', CHAT, chat('tides', { idempotency_key: 'k' }))).body.id).toBe(job.id);
    const outputs = [];
    for (let n = 0; n < 3; n++) outputs.push((await call('GET', `/v1/agent/${run.id}`)).body['output']);
    expect(outputs.map((output) => (output as unknown[]).length > 0)).toEqual([false, false, true]);
  });

  test('as told: the next job takes the course it was given, and only that one', async () => {
    const { server, call } = await start({ jobs: { takesMs: 0 } });
    server.research.spoilNext('job-failed');
    const { body: first } = await call('POST', CHAT, chat('tides'));
    const { body: second } = await call('POST', CHAT, chat('waves'));
    expect((await call('GET', `${CHAT}/${first.id}`)).body).toMatchObject({ status: 'FAILED' });
    expect((await call('GET', `${CHAT}/${second.id}`)).body).toMatchObject({ status: 'COMPLETED' });
  });
});

describe('the stand-in limits', () => {
  test('a new account to what it may ask in a minute', async () => {
    const { server, call } = await start({ limits: 'tier-0' });
    const posts = [];
    for (let n = 0; n < 7; n++) posts.push((await call('POST', CHAT, chat(`tides ${n}`))).status);
    expect(posts).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const { body: run } = await call('POST', '/v1/agent', agent('x'));
    const looks = [];
    for (let n = 0; n < 50; n++) looks.push(await call('GET', `/v1/agent/${run.id}`));
    expect(looks.filter(({ status }) => status === 200)).toHaveLength(49);
    expect(looks.at(-1)?.status).toBe(429);
    const reset = Number(looks.at(-1)?.headers.get('x-ratelimit-reset'));
    expect(reset * 1000 - Date.now()).toBeGreaterThan(50_000);
    expect(server.busiestMinute(({ method }) => method === 'GET')).toBe(50);
    await vi.waitFor(() => {
      expect(server.requests.filter(({ status }) => status === 429)).toHaveLength(3);
    });
  });
});
