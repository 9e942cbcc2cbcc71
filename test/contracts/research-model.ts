import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Report, ResearchApi, ResearchModel, UpstreamState } from '../../src/core/research/ports.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { endingContract, lookContract, submissionContract } from './research-calls.ts';
import { type Context, handIn, type MakeResearch, NEVER } from './research-setup.ts';

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
      return result.upstream;
    };
    const look = (upstream: string): Promise<UpstreamState> => research.poll(api, upstream, NEVER);
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

function lifeContract({ api, server, makeResearch, begin, look }: Context): void {
  test('a job is queued, runs, and is done, whoever looks', async () => {
    const upstream = await begin('How are the tides?');
    const other = makeResearch(server());
    const seen = async (): Promise<string> => (await other.poll(api, upstream, NEVER)).state;
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

  const listed = async (): Promise<void> => {
    const crowded = await startPerplexityServer();
    onTestFinished(() => crowded.close());
    const research = makeResearch(crowded);
    const text = (n: number): string => (n === 3 ? 'fault:job-failed takes:0ms' : 'tides takes:1h speed:1');
    for (let n = 0; n < 45; n++) await handIn(research, api, text(n));
    const jobs = await research.list(NEVER);
    expect(jobs?.map(({ upstream }) => upstream).sort()).toEqual(
      crowded.research.jobs.map(({ id }) => id).sort(),
    );
    expect(jobs?.filter(({ state }) => state === 'failed')).toHaveLength(1);
    expect(jobs?.filter(({ state }) => state === 'queued')).toHaveLength(44);
    expect(jobs?.every(({ createdAt }) => Math.abs(Date.now() - (createdAt ?? 0)) < 60_000)).toBe(true);
    expect(crowded.requests.filter(({ method }) => method === 'GET')).toHaveLength(3);
  };
  if (api === 'chat') test('every job is listed over all pages', listed);
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
