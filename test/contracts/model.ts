import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Failure, type FailureKind } from '../../src/core/failures.ts';
import type { Model } from '../../src/core/ports.ts';
import type { AnswerEvent, ModelRequest, Source } from '../../src/core/types.ts';
import type { Timeouts } from '../../src/perplexity/deadline.ts';
import type { FaultName } from '../servers/perplexity/faults.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';

/** Makes the implementation under test; timeouts as given, else its own defaults. */
export type MakeModel = (
  server: Pick<PerplexityServer, 'url' | 'apiKey'>,
  timeouts?: Partial<Timeouts>,
) => Model;

/** A question without history and without options. */
export function question(text: string, options: ModelRequest['options'] = {}): ModelRequest {
  return { system: 'Be brief.', messages: [{ role: 'user', text }], options };
}

export interface Outcome {
  readonly events: readonly AnswerEvent[];
  readonly text: string;
  readonly sources: readonly Source[];
  readonly failure: Failure | null;
}

/** Reads an answer to its end, good or bad. */
export async function outcomeOf(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  const events: AnswerEvent[] = [];
  let failure: Failure | null = null;
  try {
    for await (const event of model.answer(request, signal)) events.push(event);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failure = error;
  }
  const text = events.map((event) => (event.type === 'text' ? event.text : '')).join('');
  const sources = events.flatMap((event) => (event.type === 'sources' ? [event.sources] : [])).at(-1) ?? [];
  return { events, text, sources, failure };
}

interface Expected {
  readonly kind: FailureKind;
  readonly status?: number;
  readonly remedy?: RegExp;
  readonly retryAfterMs?: readonly [number, number];
}

/** What takes the place of a stream. */
const REFUSALS: Readonly<Partial<Record<FaultName, Expected>>> = {
  '400': { kind: 'rejected', status: 400 },
  '401': { kind: 'not-authorised', status: 401, remedy: /PERPLEXITY_API_KEY/ },
  '402': { kind: 'not-authorised', status: 402, remedy: /credit/ },
  '403': { kind: 'not-authorised', status: 403, remedy: /PERPLEXITY_API_KEY/ },
  '404': { kind: 'rejected', status: 404, remedy: /PERPLEXITY_BASE_URL/ },
  '422': { kind: 'rejected', status: 422 },
  '429': { kind: 'rate-limited', status: 429, retryAfterMs: [1000, 1000] },
  '429-long': { kind: 'rate-limited', status: 429, retryAfterMs: [120_000, 120_000] },
  '429-date': { kind: 'rate-limited', status: 429, retryAfterMs: [1000, 5000] },
  '429-reset': { kind: 'rate-limited', status: 429, retryAfterMs: [1000, 6000] },
  '429-bare': { kind: 'rate-limited', status: 429 },
  '500': { kind: 'unreachable', status: 500 },
  '502': { kind: 'unreachable', status: 502 },
  '503': { kind: 'unreachable', status: 503 },
  '529': { kind: 'unreachable', status: 529 },
  html: { kind: 'malformed' },
  json: { kind: 'malformed', remedy: /does not stream/ },
  'endless-html': { kind: 'malformed' },
  'endless-json': { kind: 'malformed', remedy: /does not stream/ },
  'endless-error': { kind: 'unreachable', status: 500 },
  reset: { kind: 'unreachable' },
  'cut-first': { kind: 'unreachable' },
  'error-first': { kind: 'unreachable' },
};

/** What ends a stream in the middle of its text. */
const CUTS: readonly FaultName[] = [
  'cut',
  'clean-cut',
  'malformed',
  'endless-event',
  'endless-stream',
  'error-event',
  'failed',
];

const SILENCES: readonly FaultName[] = [
  'silence-headers',
  'silence-first',
  'keepalive',
  'silence',
  'keepalive-middle',
];

/** The contract of the Model port, over the stand-in's real sockets. */
export function modelContract(name: string, makeModel: MakeModel): void {
  describe(`model contract: ${name}`, () => {
    let server: PerplexityServer;
    let model: Model;
    beforeAll(async () => {
      server = await startPerplexityServer();
      model = makeModel(server);
    });
    afterAll(() => server.close());

    answerContract(
      () => server,
      () => model,
    );
    failureContract(
      () => server,
      () => model,
    );
    endingContract(() => server, makeModel);
  });
}

function answerContract(server: () => PerplexityServer, model: () => Model): void {
  test('an answer arrives whole, with sources, usage and one end', async () => {
    const { events, text, sources, failure } = await outcomeOf(model(), question('How are the tides?'));
    expect(failure).toBeNull();
    expect(text).toBe(server().requests.at(-1)?.answer);
    expect(text).toContain('How are the tides?');
    expect(sources.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(sources[0]).toEqual({
      number: 1,
      url: 'https://energy.example.org/reports/tidal-2026',
      title: 'Tidal power in 2026: what the first year of arrays has shown',
      date: '2026-11-03',
      snippet: expect.stringContaining('commercial arrays'),
    });
    expect(events.filter((event) => event.type === 'text').length).toBeGreaterThan(3);
    expect(events.at(-2)).toEqual({
      type: 'usage',
      usage: {
        inputTokens: expect.any(Number),
        outputTokens: Math.ceil(text.length / 4),
        cost: expect.closeTo(0.005, 2),
      },
    });
    expect(events.at(-1)).toEqual({ type: 'done', reason: 'complete' });
    expect(events.filter((event) => event.type === 'done')).toHaveLength(1);
  });

  test('a very long answer arrives whole', async () => {
    const { text } = await outcomeOf(model(), question('long 30000'));
    expect(text).toHaveLength(30_000);
    expect(text.endsWith('END')).toBe(true);
  });

  test('sources that come after the text are announced before the end', async () => {
    const { events, sources } = await outcomeOf(model(), question('late sources, please'));
    expect(sources).toHaveLength(3);
    expect(events.at(-1)?.type).toBe('done');
  });

  test('an answer without sources announces none', async () => {
    const { events, failure } = await outcomeOf(model(), question('no sources'));
    expect(failure).toBeNull();
    expect(events.some((event) => event.type === 'sources')).toBe(false);
  });

  test('the conversation is sent in order, with the system prompt', async () => {
    const messages = [
      { role: 'user', text: 'How are the tides?' },
      { role: 'assistant', text: 'High.' },
      { role: 'user', text: 'And what did I ask before?' },
    ] as const;
    const { text } = await outcomeOf(model(), { system: 'Only facts.', messages, options: {} });
    expect(text).toContain('1. “How are the tides?”');
    const echo = await outcomeOf(model(), question('echo'));
    expect(echo.text).toContain('Be brief.');
  });

  test.for(['odd', 'empty-event', 'crlf', 'comments', 'split'] as const)(
    'a stream of the kind %s is read to its end',
    async (fault) => {
      server().fault(fault);
      const { text, events, failure } = await outcomeOf(model(), question('How are the tides?'));
      expect(failure).toBeNull();
      expect(text).toBe(server().requests.at(-1)?.answer);
      expect(events.at(-1)).toEqual({ type: 'done', reason: 'complete' });
    },
  );

  test.for([
    ['length', 'length'],
    ['content-filter', 'filtered'],
  ] as const)('an answer that ends with %s says so', async ([fault, reason]) => {
    server().fault(fault);
    const { events, text } = await outcomeOf(model(), question('How are the tides?'));
    expect(events.at(-1)).toEqual({ type: 'done', reason });
    expect(server().requests.at(-1)?.answer?.startsWith(text)).toBe(true);
  });

  test('a limit on tokens ends the answer early and says so', async () => {
    const { events } = await outcomeOf(model(), question('How are the tides?', { maxTokens: 20 }));
    expect(events.at(-1)).toEqual({ type: 'done', reason: 'length' });
  });
}

function failureContract(server: () => PerplexityServer, model: () => Model): void {
  test.for(Object.entries(REFUSALS))('%s is a failure without any text', async ([fault, expected]) => {
    server().fault(fault as FaultName); // The keys of the table above.
    const before = server().requests.length;
    const { text, failure } = await outcomeOf(model(), question('How are the tides?'));
    expect(text).toBe('');
    expect(failure).toMatchObject({ kind: expected.kind, status: expected.status });
    expect(failure?.remedy ?? '').toMatch(expected.remedy ?? /^$/);
    const [least, most] = expected.retryAfterMs ?? [undefined, undefined];
    if (least === undefined) expect(failure?.retryAfterMs).toBeUndefined();
    else expect(failure?.retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(failure?.retryAfterMs ?? 0).toBeLessThanOrEqual(most ?? 0);
    expect(server().requests.length).toBe(before + 1);
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).not.toBe('open'));
  });

  test.for(CUTS)('a stream that ends in %s is cut off and keeps its text', async (fault) => {
    server().fault(fault);
    const { text, events, failure } = await outcomeOf(model(), question('How are the tides?'));
    expect(failure?.kind).toBe('cut-off');
    expect(text.length).toBeGreaterThan(50);
    expect(server().requests.at(-1)?.answer?.startsWith(text)).toBe(true);
    expect(events.some((event) => event.type === 'done')).toBe(false);
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).not.toBe('open'));
  });

  test('what a failure carries for people and logs holds no upstream page', async () => {
    server().fault('401');
    const { failure } = await outcomeOf(model(), question('How are the tides?'));
    expect(`${failure?.message} ${failure?.remedy} ${JSON.stringify(failure)}`).not.toMatch(/[<>]|openresty/);
  });
}

function endingContract(server: () => PerplexityServer, makeModel: MakeModel): void {
  test('an answer costs one request', async () => {
    const before = server().requests.length;
    await outcomeOf(makeModel(server()), question('How are the tides?'));
    expect(server().requests.length).toBe(before + 1);
  });

  test('a host that refuses connections is unreachable', async () => {
    const gone = await startPerplexityServer();
    await gone.close();
    const { failure } = await outcomeOf(makeModel(gone), question('How are the tides?'));
    expect(failure).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
  });

  test('a wrong key is not authorised', async () => {
    const { failure } = await outcomeOf(makeModel({ url: server().url, apiKey: 'wrong' }), question('?'));
    expect(failure).toMatchObject({ kind: 'not-authorised', status: 401 });
  });

  test.for(SILENCES)('%s is too slow, and the request is given up', async (fault) => {
    server().fault(fault);
    const model = makeModel(server(), { headersMs: 150, idleMs: 150 });
    const { failure } = await outcomeOf(model, question('How are the tides?'));
    expect(failure?.kind).toBe('too-slow');
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
  });

  test('an answer that takes too long in all is given up with its text', async () => {
    const slow = await startPerplexityServer({ tokensPerSecond: 50 });
    const model = makeModel(slow, { totalMs: 300 });
    const { failure, text } = await outcomeOf(model, question('long 9000'));
    expect(failure?.kind).toBe('too-slow');
    expect(text).not.toBe('');
    await slow.close();
  });

  test('an aborted signal stops an answer before any request is made', async () => {
    const before = server().requests.length;
    const { failure } = await outcomeOf(makeModel(server()), question('?'), AbortSignal.abort());
    expect(failure?.kind).toBe('stopped');
    expect(server().requests.length).toBe(before);
  });

  test.for(['silence-headers', 'silence-first', 'silence', 'keepalive-middle'] as const)(
    'an abort during %s stops the answer and the request',
    async (fault) => {
      const controller = new AbortController();
      const before = server().requests.length;
      server().fault(fault);
      const running = outcomeOf(makeModel(server()), question('How are the tides?'), controller.signal);
      await vi.waitFor(() => expect(server().requests.length).toBe(before + 1));
      controller.abort();
      expect((await running).failure?.kind).toBe('stopped');
      await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
    },
  );

  test('an abort while the text is being read is a failure, not an end', async () => {
    const controller = new AbortController();
    server().fault('silence');
    const answer = makeModel(server()).answer(question('How are the tides?'), controller.signal);
    const read = async (): Promise<void> => {
      for await (const event of answer) if (event.type === 'text') controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ kind: 'stopped' });
  });

  test('a consumer that leaves early ends the request and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    server().fault('silence');
    for await (const event of makeModel(server()).answer(question('How are the tides?'), signal)) {
      if (event.type === 'text') break;
    }
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a finished answer leaves no listener on the signal', async () => {
    const { signal } = new AbortController();
    await outcomeOf(makeModel(server()), question('How are the tides?'), signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
}
