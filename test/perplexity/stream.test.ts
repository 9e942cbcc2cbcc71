import type { ServerResponse } from 'node:http';
import { assert, asyncProperty, nat, uniqueArray } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { type Outcome, outcomeOf, question } from '../contracts/model.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

let server: PerplexityServer;
beforeAll(async () => {
  server = await startPerplexityServer();
});
afterAll(() => server.close());

/** Answers one question with the events given, in a single write, and then does as told. */
function answerWith(
  api: 'chat' | 'agent',
  events: readonly (object | string)[],
  then: (response: ServerResponse) => void = (response) => response.end(),
): Promise<Outcome> {
  server.fault((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(events.map((event) => `data: ${asData(event)}\n\n`).join(''));
    then(response);
  });
  const { log } = createSilentLog();
  const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api, log });
  return outcomeOf(model, question('How are the tides?'));
}

function asData(event: object | string): string {
  return typeof event === 'string' ? event : JSON.stringify(event);
}

function chunk(content: string, rest: object = {}, finish: string | null = null): object {
  const choices = [{ index: 0, delta: { content }, finish_reason: finish }];
  return { object: 'chat.completion.chunk', choices, ...rest };
}

/** Writes these bytes cut at these places, each piece once the one before has left. */
async function sendCut(response: ServerResponse, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  for (let i = 1; i < at.length; i++) {
    await new Promise((resolve) => response.write(bytes.subarray(at[i - 1], at[i]), resolve));
  }
  response.end();
}

const DONE = { type: 'done', reason: 'complete' };

describe('reading a stream', () => {
  test('keeps an answer complete when its connection breaks after the finish', async () => {
    const { events, failure } = await answerWith('chat', [chunk('All of it.', {}, 'stop')], (response) =>
      setTimeout(() => response.socket?.resetAndDestroy(), 30),
    );
    expect(failure).toBeNull();
    expect(events).toEqual([{ type: 'text', text: 'All of it.' }, DONE]);
  });

  test.each([null, ''])('takes a [DONE] for the end, where the finish is %j', async (finish) => {
    const { text, events, failure } = await answerWith('chat', [
      chunk('A whole answer.', {}, finish),
      '[DONE]',
    ]);
    expect({ text, failure }).toEqual({ text: 'A whole answer.', failure: null });
    expect(events.at(-1)).toEqual(DONE);
  });

  test.for([
    ['chat', `data: ${asData(chunk('Done.', {}, 'stop'))}\n\ndata: [DONE]\n\n`],
    ['agent', `data: ${asData({ type: 'response.completed', response: {} })}\n\n`],
  ] as const)(
    'lets a connection end in order, to use it again, while the consumer goes on (%s)',
    async (row) => {
      const [api, stream] = row;
      const { log } = createSilentLog();
      const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api, log });
      const first = server.requests.length;
      for (let i = 0; i < 4; i++) {
        server.fault((response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(stream);
          setTimeout(() => response.end(), 30);
        });
        for await (const event of model.answer(question('?'), new AbortController().signal)) {
          if (event.type === 'done') break;
        }
        await vi.waitFor(() => expect(server.requests.at(-1)?.state).toBe('complete'));
      }
      const used = server.requests.slice(first).map(({ connection }) => connection);
      expect(new Set(used).size).toBeLessThanOrEqual(2);
    },
  );

  test('is not told apart by where its bytes are cut', async () => {
    const { log } = createSilentLog();
    const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log });
    const [before = '', after = ''] = asData(chunk('zwei')).split('"zwei"');
    const stream = Buffer.from(
      [
        `: hi\n\ndata: ${asData(chunk('ä€😀 '))}\n\n`,
        `event: x\r\nid: 7\r\ndata:${before}\r\ndata:"zwei"${after}\r\n\r\ndata:\n\n:\n\nevent: ping\r\n\r\n`,
        `data: ${asData(chunk('.', {}, 'stop'))}\n\ndata: [DONE]\n\ndata: lost`,
      ].join(''),
    );
    await assert(
      asyncProperty(uniqueArray(nat(stream.length), { maxLength: 8 }), async (cuts) => {
        server.fault((response) => void sendCut(response, stream, cuts));
        const { text, events, failure } = await outcomeOf(model, question('?'));
        expect(failure).toBeNull();
        expect(text).toBe('ä€😀 zwei.');
        expect(events.at(-1)).toEqual(DONE);
      }),
      { numRuns: 60 },
    );
  });

  test.for([
    ['\n', '\n'],
    ['\n\r', '\n'],
    ['\r\n\r', '\n'],
    ['\r', '\n\r\n'],
  ])('shows an event as soon as it has ended, though its end arrives in pieces: %j', async (end) => {
    server.fault((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // Nothing follows, so nothing else can bring it out.
      response.write(`data: ${asData(chunk('Half of', {}))}${end[0]}`, () => {
        setTimeout(() => response.write(end[1]), 20);
      });
    });
    const { log } = createSilentLog();
    const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log });
    for await (const event of model.answer(question('?'), new AbortController().signal)) {
      expect(event).toEqual({ type: 'text', text: 'Half of' });
      break;
    }
    await vi.waitFor(() => expect(server.requests.at(-1)?.state).toBe('aborted'));
  });

  test('closes a connection that does not end after the answer has', async () => {
    const events = [chunk('Done.', {}, 'stop'), '[DONE]'];
    const outcome = await answerWith('chat', events, () => undefined);
    expect(outcome.events.at(-1)).toEqual(DONE);
    await vi.waitFor(() => expect(server.requests.at(-1)?.state).toBe('aborted'));
  });

  test.for([
    ['gzip', Buffer.from('no gzip at all'), 'Z_DATA_ERROR'],
    ['br', Buffer.from('no brotli at all'), expect.stringMatching(/^ERR__ERROR/)],
    ['lzw', Buffer.from([0x1f, 0x9d, 0x90, 0x00, 0x01]), 'UNKNOWN_CODING'],
  ] as const)('says that it cannot be decompressed (%s)', async ([coding, bytes, code]) => {
    const { log } = createSilentLog();
    server.fault((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding });
      response.end(bytes);
    });
    const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log });
    const { failure } = await outcomeOf(model, question('?'));
    expect(failure).toMatchObject({ kind: 'malformed', code });
    expect(failure?.remedy).toMatch(/PERPLEXITY_BASE_URL/);
  });

  test('minds no coding whose name alone is unknown', async () => {
    const { log } = createSilentLog();
    server.fault((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'utf-8' });
      response.end(`data: ${asData(chunk('Ä.', {}, 'stop'))}\n\ndata: [DONE]\n\n`);
    });
    const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log });
    expect((await outcomeOf(model, question('?'))).text).toBe('Ä.');
  });

  test('shows what could have become a tag but did not', async () => {
    const { text } = await answerWith('chat', [chunk('<thi', {}, 'stop')]);
    expect(text).toBe('<thi');
  });
});

const CREDIT = /account needs credit/;
const KEY = /PERPLEXITY_API_KEY/;
const NONE = /^$/;

describe.each(['chat', 'agent'] as const)('an error that is reported in words (%s)', (api) => {
  test.for([
    [{ code: 'insufficient_quota', type: 'insufficient_quota' }, 'not-authorised', CREDIT],
    [{ code: null, type: 'billing_error' }, 'not-authorised', CREDIT],
    [{ code: 'invalid_api_key', type: 'invalid_request_error' }, 'not-authorised', KEY],
    [{ type: 'authentication_error' }, 'not-authorised', KEY],
    [{ type: 'permission_error' }, 'not-authorised', KEY],
    [{ code: 'rate_limit_exceeded', type: 'requests' }, 'rate-limited', NONE],
    [{ code: 'context_length_exceeded', type: 'invalid_request_error' }, 'rejected', /too long/],
    [{ code: 'model_not_found' }, 'rejected', /does not offer this model/],
    [{ type: 'invalid_request_error' }, 'rejected', /does not offer this model/],
    [{ type: 'overloaded_error' }, 'unreachable', NONE],
    [{ code: 'server_error' }, 'unreachable', NONE],
    [{ code: '402' }, 'not-authorised', CREDIT],
    [{}, 'unreachable', NONE],
  ] as const)('%j is %s', async ([names, kind, remedy]) => {
    const error = { message: 'The model `x` failed.', ...names };
    const { failure } = await answerWith(api, [{ error }]);
    expect(failure?.kind).toBe(kind);
    expect(failure?.remedy ?? '').toMatch(remedy);
  });

  test('a status in words goes before the number: no credit is no rate limit', async () => {
    server.fault((response) => {
      const error = { message: 'You exceeded your current quota.', code: 'insufficient_quota' };
      response.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    });
    const { log } = createSilentLog();
    const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api, log });
    const { failure } = await outcomeOf(model, question('?'));
    expect(failure).toMatchObject({ kind: 'not-authorised', status: 429 });
    expect(failure?.remedy).toMatch(CREDIT);
  });
});

describe('chat completions', () => {
  const pages = ['https://a.example/', 'https://b.example/'];

  test('announce repeated sources once, and again when there are more', async () => {
    const { events } = await answerWith('chat', [
      chunk('One ', { citations: pages.slice(0, 1) }),
      chunk('two ', { citations: pages.slice(0, 1) }),
      chunk('three', { citations: pages, search_results: [{ url: pages[1], title: 'B' }] }),
      chunk('', { citations: pages, search_results: [{ url: pages[1], title: 'B' }] }, 'stop'),
    ]);
    const announced = events.flatMap((event) => (event.type === 'sources' ? [event.sources] : []));
    expect(announced.map((sources) => sources.map(({ title }) => title))).toEqual([
      ['a.example'],
      ['a.example', 'B'],
    ]);
  });

  test('count the latest of the usages they repeat, with or without a price', async () => {
    const { events } = await answerWith('chat', [
      chunk('One', { usage: { prompt_tokens: 5, completion_tokens: 1 } }),
      chunk('', { usage: { prompt_tokens: 5, completion_tokens: 9 } }, 'stop'),
      { object: 'chat.completion.done', usage: null, choices: [] },
    ]);
    expect(events.at(-2)).toEqual({ type: 'usage', usage: { inputTokens: 5, outputTokens: 9, cost: null } });
  });

  test('never repeat the text that the full mode sends along', async () => {
    const withWhole = {
      choices: [{ delta: { content: 'b' }, message: { content: 'ab' }, finish_reason: 'stop' }],
    };
    const { text } = await answerWith('chat', [chunk('a'), withWhole]);
    expect(text).toBe('ab');
  });
});

describe('agent API', () => {
  const result = (id: number | undefined, name: string): object => ({
    id,
    url: `https://${name}.example/`,
    title: name,
  });
  const found = (...results: object[]): object => ({ type: 'response.reasoning.search_results', results });
  const completed = (output: object[] = []): object => ({
    type: 'response.completed',
    response: { status: 'completed', output },
  });

  test('number sources on from one search to the next and drop repeats', async () => {
    const { sources, events } = await answerWith('agent', [
      found(result(undefined, 'a'), result(undefined, 'b')),
      { type: 'response.output_item.done', item: { type: 'search_results', results: [result(1, 'a')] } },
      found(result(undefined, 'b'), result(31, 'c')),
      { type: 'response.output_text.delta', delta: 'Text [31].' },
      completed([{ type: 'search_results', results: [result(2, 'b'), result(31, 'c')] }]),
    ]);
    expect(sources.map(({ number, title }) => [number, title])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [31, 'c'],
    ]);
    expect(events.filter((event) => event.type === 'sources')).toHaveLength(2);
  });

  test('are also the pages that were read, and what the text is annotated with', async () => {
    const contents = [
      { url: 'https://read.example/', title: 'read', snippet: 'text' },
      { url: 'https://a.example/', title: 'a' },
    ];
    const annotation = { type: 'url_citation', url: 'https://named.example/', title: 'named' };
    const message = {
      type: 'message',
      content: [{ type: 'output_text', text: 'x', annotations: [annotation] }],
    };
    const { sources } = await answerWith('agent', [
      found(result(1, 'a'), result(2, 'b')),
      { type: 'response.output_item.done', item: { type: 'fetch_url_results', contents } },
      { type: 'response.output_text.annotation.added', annotation },
      { type: 'response.output_text.delta', delta: 'Text [1].' },
      found(result(3, 'c')),
      completed([message]),
    ]);
    expect(sources.map(({ number, title }) => [number, title])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'named'],
      [5, 'read'],
    ]);
  });

  test('take the text from the end when none came before', async () => {
    const content = [{ type: 'output_text', text: 'Only at the end.' }];
    const { text, events } = await answerWith('agent', [completed([{ type: 'message', content }])]);
    expect(text).toBe('Only at the end.');
    expect(events.at(-1)).toEqual(DONE);
  });

  test('name the limit of a run that was refused half-way', async () => {
    const error = { message: 'Rate limited.', type: 'rate_limit_exceeded', code: 429 };
    const { failure } = await answerWith('agent', [{ type: 'error', error }]);
    expect(failure).toMatchObject({ kind: 'rate-limited', code: 'rate_limit_exceeded' });
  });

  test('a cancelled run is no answer', async () => {
    const { failure } = await answerWith('agent', [
      { type: 'response.output_text.delta', delta: 'Half of' },
      { type: 'response.cancelled', response: { status: 'cancelled', error: null } },
    ]);
    expect(failure?.kind).toBe('cut-off');
  });
});
