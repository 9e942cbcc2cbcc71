import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure, type FailureKind } from '../../src/core/failures.ts';
import type { Report, ResearchApi, ResearchModel, UpstreamState } from '../../src/core/research-ports.ts';
import type { Effort, ModelRequest } from '../../src/core/types.ts';
import type { Timers } from '../../src/perplexity/watch.ts';
import type { AnswerFault } from '../servers/perplexity/faults.ts';
import type { LateFault } from '../servers/perplexity/job-faults.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';

/** Makes the implementation under test; clocks as given, else its own defaults. */
export type MakeResearch = (
  server: Pick<PerplexityServer, 'url' | 'apiKey'>,
  timers?: Partial<Timers>,
) => ResearchModel;

/** A question for research, with the instruction that asks for a summary. */
export function wish(text: string, options: ModelRequest['options'] = {}): ModelRequest {
  const system = 'Write a report. Begin it with `## Summary`, at most five lines.';
  return { system, messages: [{ role: 'user', text }], options };
}

const NEVER = new AbortController().signal;

/** Hands in one job. */
export function handIn(
  research: ResearchModel,
  api: ResearchApi,
  text: string,
  {
    key = randomUUID(),
    effort = 'medium',
    signal = NEVER,
  }: { key?: string; effort?: Effort; signal?: AbortSignal } = {},
): ReturnType<ResearchModel['submit']> {
  return research.submit({ api, request: wish(text), effort, key, signal });
}

/** The failure a promise ends in. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const failure = await promise.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw failure;
  return failure;
}

type Fault = AnswerFault | LateFault;

interface Refusal {
  readonly kind: FailureKind;
  readonly ambiguous: boolean;
  readonly remedy?: RegExp;
  readonly retryAfterMs?: number;
}

/** What becomes of a submission, and whether a job may have been made all the same. */
const SUBMISSIONS: Readonly<Partial<Record<Fault, Refusal>>> = {
  '400': { kind: 'rejected', ambiguous: false },
  '401': { kind: 'not-authorised', ambiguous: false, remedy: /PERPLEXITY_API_KEY/ },
  '402': { kind: 'not-authorised', ambiguous: false, remedy: /credit/ },
  '403': { kind: 'not-authorised', ambiguous: false },
  '404': { kind: 'rejected', ambiguous: false },
  '422': { kind: 'rejected', ambiguous: false },
  '429': { kind: 'rate-limited', ambiguous: false, retryAfterMs: 1_000 },
  '429-long': { kind: 'rate-limited', ambiguous: false, retryAfterMs: 120_000 },
  '429-bare': { kind: 'rate-limited', ambiguous: false },
  '500': { kind: 'unreachable', ambiguous: true },
  '502': { kind: 'unreachable', ambiguous: true },
  // The service itself says that it has not begun.
  '503': { kind: 'unreachable', ambiguous: false },
  '529': { kind: 'unreachable', ambiguous: false },
  html: { kind: 'malformed', ambiguous: true },
  json: { kind: 'malformed', ambiguous: true },
  reset: { kind: 'unreachable', ambiguous: true },
  lost: { kind: 'unreachable', ambiguous: true },
  'lost-502': { kind: 'unreachable', ambiguous: true },
  'lost-html': { kind: 'malformed', ambiguous: true },
  'lost-json': { kind: 'malformed', ambiguous: true },
  cut: { kind: 'unreachable', ambiguous: true },
  malformed: { kind: 'malformed', ambiguous: true },
};

const LOOKS: Readonly<Partial<Record<Fault, FailureKind | 'missing' | 'running'>>> = {
  '401': 'not-authorised',
  '403': 'not-authorised',
  '404': 'missing',
  '429': 'rate-limited',
  '500': 'unreachable',
  '502': 'unreachable',
  '503': 'unreachable',
  reset: 'unreachable',
  html: 'unreachable',
  cut: 'unreachable',
  malformed: 'unreachable',
  // Nothing in it says that the job is over.
  json: 'running',
};

/** How a job looks when it is over upstream. */
const ENDS: readonly (readonly [string, UpstreamState | { state: string }])[] = [
  ['fault:job-failed', { state: 'failed', remedy: null }],
  ['fault:job-stuck', { state: 'running' }],
  ['fault:job-null', { state: 'empty' }],
  ['fault:job-odd', { state: 'empty' }],
  ['fault:job-expired', { state: 'missing' }],
  [
    'fault:job-incomplete-empty',
    { state: 'failed', remedy: 'its limit on tokens left no room for a report' },
  ],
  ['unclosed thoughts', { state: 'empty' }],
];

/** The contract of the ResearchModel port, over the stand-in's real sockets. */
export function researchModelContract(api: ResearchApi, makeResearch: MakeResearch): void {
  describe(`research model contract: ${api}`, () => {
    let server: PerplexityServer;
    let research: ResearchModel;
    beforeAll(async () => {
      server = await startPerplexityServer({ jobs: { takesMs: 3_600_000, speed: 1 } });
      research = makeResearch(server);
    });
    afterAll(() => server.close());
    const begin = async (text: string, key?: string): Promise<string> => {
      const result = await handIn(research, api, text, key === undefined ? {} : { key });
      return result === 'retired' ? expect.fail('retired') : result.upstream;
    };
    const look = (upstream: string): Promise<UpstreamState> => research.look(api, upstream, NEVER);
    const reportOn = async (text: string): Promise<Report> => {
      const upstream = await begin(text);
      server.research.finish(upstream);
      const seen = await look(upstream);
      return seen.state === 'done' ? seen.report : expect.fail(`is ${seen.state}`);
    };
    const context: Context = { api, server: () => server, makeResearch, begin, look, reportOn };

    lifeContract(context);
    reportContract(context);
    submissionContract(context);
    lookContract(context);
    endingContract(context);
  });
}

interface Context {
  readonly api: ResearchApi;
  readonly server: () => PerplexityServer;
  readonly makeResearch: MakeResearch;
  readonly begin: (text: string, key?: string) => Promise<string>;
  readonly look: (upstream: string) => Promise<UpstreamState>;
  readonly reportOn: (text: string) => Promise<Report>;
}

function lifeContract({ api, server, makeResearch, begin, look }: Context): void {
  test('a job is queued, runs, and is done, whoever looks', async () => {
    const upstream = await begin('How are the tides?');
    const other = makeResearch(server());
    const seen = async (): Promise<string> => (await other.look(api, upstream, NEVER)).state;
    expect(await seen()).toBe('queued');
    server().research.start(upstream);
    expect(await seen()).toBe('running');
    server().research.finish(upstream);
    expect(await seen()).toBe('done');
    expect((await look(upstream)).state).toBe('done');
  });

  test('the same key makes the same job where the API says that it may be repeated', async () => {
    const key = randomUUID();
    const [first, second] = [await begin('How are the tides?', key), await begin('How are the tides?', key)];
    expect(first === second).toBe(makeResearch(server()).isRepeatable(api));
    const submissions = server().research.submissions.filter((one) => one.key === key);
    expect(submissions.map(({ outcome }) => outcome)).toEqual([
      'created',
      api === 'chat' ? 'repeated' : 'created',
    ]);
  });

  test('an unknown job is missing, whatever its id looks like', async () => {
    expect(await look(randomUUID())).toEqual({ state: 'missing' });
    expect(await look('../chat/completions?x=1#y')).toEqual({ state: 'missing' });
    expect(server().requests.at(-1)).toMatchObject({ query: {}, path: expect.stringContaining('..%2F') });
  });

  test('a job is cancelled where the API can, and one that is over stays what it was', async () => {
    const research = makeResearch(server());
    const upstream = await begin('How are the tides?');
    const before = server().requests.length;
    expect(await research.cancel(api, upstream, NEVER)).toBe(api === 'agent');
    expect(server().requests.length - before).toBe(api === 'agent' ? 1 : 0);
    expect((await look(upstream)).state).toBe(api === 'agent' ? 'cancelled' : 'queued');
    const over = await begin('How are the tides?');
    server().research.finish(over);
    expect(await research.cancel(api, over, NEVER)).toBe(api === 'agent');
    expect((await look(over)).state).toBe('done');
    expect(await research.cancel(api, 'resp_unknown', NEVER)).toBe(api === 'agent');
  });

  test('every job is listed over all pages, where the API has a list', async () => {
    const crowded = await startPerplexityServer();
    onTestFinished(() => crowded.close());
    const research = makeResearch(crowded);
    const text = (n: number): string => (n === 3 ? 'fault:job-failed takes:0ms' : 'tides takes:1h speed:1');
    for (let n = 0; n < 45; n++) await handIn(research, api, text(n));
    const jobs = await research.list(api, NEVER);
    if (api === 'agent') return expect(jobs).toBeNull();
    expect(jobs?.map(({ upstream }) => upstream).sort()).toEqual(
      crowded.research.jobs.map(({ id }) => id).sort(),
    );
    expect(jobs?.filter(({ state }) => state === 'failed')).toHaveLength(1);
    expect(jobs?.filter(({ state }) => state === 'queued')).toHaveLength(44);
    expect(jobs?.every(({ createdAt }) => Math.abs(Date.now() - (createdAt ?? 0)) < 60_000)).toBe(true);
    expect(crowded.requests.filter(({ method }) => method === 'GET')).toHaveLength(3);
  });
}

function reportContract({ api, begin, look, server, reportOn }: Context): void {
  test('a report comes whole, without thoughts, with sources, usage and cost', async () => {
    const { text, sources, usage, cut } = await reportOn('How are the tides?');
    expect(text).toMatch(/^## Summary\n\n- The question “How are the tides\?”/);
    expect(text.endsWith('END')).toBe(true);
    expect(text).not.toContain('think>');
    expect(sources.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
    expect(sources[4]).toMatchObject({ url: 'https://data.example.com/lcoe/2026-q3', date: '2026-10-02' });
    expect(usage).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
    expect(usage?.cost).toBeGreaterThan(0);
    expect(cut).toBeUndefined();
  });

  test('a report of 60,000 characters has all of its 120 sources', async () => {
    const { text, sources } = await reportOn('a long report on tides');
    expect(text).toHaveLength(60_000);
    expect(sources.map(({ number }) => number)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    expect(sources[119]?.url).toBe('https://site-120.example.org/records/120?edition=(120)');
  });

  test('a report beyond all reason is cut, and says so', async () => {
    const { text, cut } = await reportOn('report 250000');
    expect(text).toHaveLength(200_000);
    expect(cut).toBe('length');
  });

  test('a report that was stopped at its limit keeps its text and says so', async () => {
    const { text, cut } = await reportOn('How are the tides? fault:job-incomplete');
    expect(text).toMatch(/^## Summary/);
    expect(cut).toBe('length');
  });

  test('a report without sources has none', async () => {
    expect((await reportOn('no sources')).sources).toEqual([]);
  });

  test.for(ENDS)('a job with %j ends as %o', async ([words, state]) => {
    const upstream = await begin(`How are the tides? takes:0ms ${words}`);
    expect(await look(upstream)).toEqual(state);
    expect(await look(upstream)).toEqual(state);
  });

  test('a job that somebody else cancelled says so', async () => {
    const upstream = await begin('How are the tides? takes:0ms fault:job-cancelled');
    expect((await look(upstream)).state).toBe(api === 'agent' ? 'cancelled' : 'failed');
  });

  test('a report that comes late is found', async () => {
    const upstream = await begin('How are the tides? takes:0ms fault:job-nullx2');
    const seen = [await look(upstream), await look(upstream), await look(upstream)];
    expect(seen.map(({ state }) => state)).toEqual(['empty', 'empty', 'done']);
  });

  test('a job that flaps is over only when its report is there', async () => {
    const upstream = await begin('How are the tides? takes:0ms fault:job-flapping');
    const seen: string[] = [];
    for (let n = 0; n < 7; n++) seen.push((await look(upstream)).state);
    expect(seen).toEqual(['running', 'queued', 'empty', 'running', 'running', 'empty', 'done']);
  });

  test('a job that is no longer kept is missing', async () => {
    const upstream = await begin('How are the tides?');
    server().research.expire(upstream);
    expect(await look(upstream)).toEqual({ state: 'missing' });
  });
}

function submissionContract({ api, server, makeResearch }: Context): void {
  test.for(Object.entries(SUBMISSIONS))('handing in into %s fails as %o', async ([fault, expected]) => {
    const { research: control } = server();
    const [jobs, requests] = [control.jobs.length, server().requests.length];
    server().fault(fault as Fault, 1, 'submit'); // The keys of the table above.
    const failure = await failureOf(handIn(makeResearch(server()), api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: expected.kind, ambiguous: expected.ambiguous });
    expect(failure.remedy ?? '').toMatch(expected.remedy ?? /^/);
    expect(failure.retryAfterMs).toBe(expected.retryAfterMs);
    expect(server().requests.length).toBe(requests + 1);
    const wasMade = control.jobs.length > jobs;
    expect(wasMade).toBe(fault.startsWith('lost') || fault === 'cut' || fault === 'malformed');
    if (wasMade) expect(failure.ambiguous).toBe(true);
  });

  test.for(['silence-headers', 'silence', 'slow'] as const)(
    'handing in into %s is given up, and may have begun a job',
    async (fault) => {
      server().fault(fault, 1, 'submit');
      const research = makeResearch(server(), { headersMs: 150, idleMs: 150 });
      const failure = await failureOf(handIn(research, api, 'How are the tides?'));
      expect(failure).toMatchObject({ kind: 'too-slow', ambiguous: true });
      await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
    },
  );

  test('where nobody listens nothing has begun', async () => {
    const gone = await startPerplexityServer();
    await gone.close();
    const failure = await failureOf(handIn(makeResearch(gone), api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED', ambiguous: false });
  });

  test('under a name that does not exist nothing has begun', async () => {
    const nowhere = { url: 'http://perplexity.invalid', apiKey: 'none' };
    const failure = await failureOf(handIn(makeResearch(nowhere), api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: 'unreachable', ambiguous: false });
  });

  test('the key may be wrong', async () => {
    const research = makeResearch({ url: server().url, apiKey: 'wrong' });
    const failure = await failureOf(handIn(research, api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: 'not-authorised', status: 401, ambiguous: false });
    expect(`${failure.message} ${failure.remedy}`).not.toMatch(/[<>]|openresty/);
  });
}

function lookContract({ api, server, makeResearch, begin, look }: Context): void {
  test.for(Object.entries(LOOKS))('a look that meets %s finds %s, and the next one the job', async (row) => {
    const [fault, expected] = row;
    const upstream = await begin('How are the tides?');
    server().fault(fault as Fault, 1, 'look'); // The keys of the table above.
    const before = server().requests.length;
    const found = await look(upstream).catch((error: unknown) => error);
    if (found instanceof Failure) expect(found.kind).toBe(expected);
    else expect(found).toEqual({ state: expected });
    expect(server().requests.length).toBe(before + 1);
    expect(await look(upstream)).toEqual({ state: 'queued' });
  });

  test('a fresh job may be unknown for some looks', async () => {
    const upstream = await begin(`How are the tides? fault:look-404x2 ${randomUUID()}`);
    const seen = [await look(upstream), await look(upstream), await look(upstream)];
    expect(seen.map(({ state }) => state)).toEqual(['missing', 'missing', 'queued']);
  });

  test('a wait that is asked for is passed on', async () => {
    const upstream = await begin('How are the tides?');
    server().fault('429-long', 1, 'look');
    expect(await failureOf(look(upstream))).toMatchObject({ kind: 'rate-limited', retryAfterMs: 120_000 });
  });

  test.for(['silence-headers', 'silence'] as const)('a look into %s is too slow', async (fault) => {
    const upstream = await begin('How are the tides?');
    server().fault(fault, 1, 'look');
    const research = makeResearch(server(), { headersMs: 150, idleMs: 150 });
    expect((await failureOf(research.look(api, upstream, NEVER))).kind).toBe('too-slow');
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
  });

  test('an answer that trickles in for ever is too slow in all', async () => {
    const upstream = await begin('How are the tides?');
    server().fault(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(timer));
      },
      1,
      'look',
    );
    const research = makeResearch(server(), { idleMs: 200, totalMs: 500 });
    expect((await failureOf(research.look(api, upstream, NEVER))).kind).toBe('too-slow');
  });

  test('an answer too large to be a report is no report', async () => {
    const upstream = await begin('How are the tides?');
    server().fault(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ status: 'COMPLETED', filler: 'x'.repeat(9_000_000) }));
      },
      1,
      'look',
    );
    expect(await look(upstream)).toEqual({ state: 'empty' });
  });
}

function endingContract({ api, server, makeResearch }: Context): void {
  test('an aborted signal stops every call before any request is made', async () => {
    const research = makeResearch(server());
    const before = server().requests.length;
    const signal = AbortSignal.abort();
    const submitting = await failureOf(handIn(research, api, 'How are the tides?', { signal }));
    expect(submitting).toMatchObject({ kind: 'stopped', ambiguous: false });
    expect((await failureOf(research.look(api, 'x', signal))).kind).toBe('stopped');
    expect(server().requests.length).toBe(before);
  });

  test('an abort while a job is handed in may leave one behind', async () => {
    const controller = new AbortController();
    const before = server().requests.length;
    server().fault('slow', 1, 'submit');
    const { signal } = controller;
    const submitting = handIn(makeResearch(server()), api, 'How are the tides?', { signal });
    await vi.waitFor(() => expect(server().requests.length).toBe(before + 1));
    controller.abort();
    expect(await failureOf(submitting)).toMatchObject({ kind: 'stopped', ambiguous: true });
    await vi.waitFor(() => expect(server().requests.at(-1)?.state).toBe('aborted'));
  });

  test('nothing is left on the signal, and connections are used again', async () => {
    const fresh = await startPerplexityServer();
    onTestFinished(() => fresh.close());
    const { signal } = new AbortController();
    const research = makeResearch(fresh);
    await handIn(research, api, 'a long report, please takes:0ms', { signal });
    const { id = '' } = fresh.research.jobs[0] ?? {};
    for (let n = 0; n < 4; n++) await research.look(api, id, signal);
    expect(fresh.requests).toHaveLength(5);
    // The next request may come before the last connection is known to be free.
    expect(new Set(fresh.requests.map(({ connection }) => connection)).size).toBeLessThan(3);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
}
