/** The part of the ResearchModel contract that is about single calls: what their failures say, and how they end. */
import { randomUUID } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Failure, type FailureKind } from '../../src/core/failures.ts';
import type { AnswerFault } from '../servers/perplexity/faults.ts';
import type { LateFault } from '../servers/perplexity/job-faults.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { type Context, failureOf, handIn, NEVER } from './research-setup.ts';

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
  'endless-html': { kind: 'malformed', ambiguous: true },
  'endless-json': { kind: 'malformed', ambiguous: true },
  'endless-error': { kind: 'unreachable', ambiguous: true },
  reset: { kind: 'unreachable', ambiguous: true },
  lost: { kind: 'unreachable', ambiguous: true },
  'lost-502': { kind: 'unreachable', ambiguous: true },
  'lost-html': { kind: 'malformed', ambiguous: true },
  'lost-json': { kind: 'malformed', ambiguous: true },
  cut: { kind: 'unreachable', ambiguous: true },
  malformed: { kind: 'malformed', ambiguous: true },
};

const LOOKS: Readonly<Partial<Record<Fault, FailureKind | 'missing' | 'running' | 'empty'>>> = {
  '401': 'not-authorised',
  '403': 'not-authorised',
  '404': 'missing',
  '429': 'rate-limited',
  '500': 'unreachable',
  '502': 'unreachable',
  '503': 'unreachable',
  reset: 'unreachable',
  html: 'unreachable',
  'endless-html': 'empty',
  'endless-error': 'unreachable',
  cut: 'unreachable',
  malformed: 'unreachable',
  // Nothing in it says that the job is over.
  json: 'running',
};

export function submissionContract({ api, server, makeResearch }: Context): void {
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

  test('over a connection that cannot be made safe nothing has begun', async () => {
    const before = server().requests.length;
    const research = makeResearch({ ...server(), url: server().url.replace('http:', 'https:') });
    const failure = await failureOf(handIn(research, api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: 'unreachable', ambiguous: false });
    expect(server().requests.length).toBe(before);
  });

  test('the key may be wrong', async () => {
    const research = makeResearch({ url: server().url, apiKey: 'wrong' });
    const failure = await failureOf(handIn(research, api, 'How are the tides?'));
    expect(failure).toMatchObject({ kind: 'not-authorised', status: 401, ambiguous: false });
    expect(`${failure.message} ${failure.remedy}`).not.toMatch(/[<>]|openresty/);
  });
}

export function lookContract({ api, server, makeResearch, begin, look }: Context): void {
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
    expect((await failureOf(research.poll(api, upstream, NEVER))).kind).toBe('too-slow');
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
    expect((await failureOf(research.poll(api, upstream, NEVER))).kind).toBe('too-slow');
  });

  test('an answer that comes slowly but steadily is waited for', async () => {
    const upstream = await begin('How are the tides?');
    server().fault(
      (response) => {
        const pieces = '{"status":"failed","filler":"xxxxxxxxx"}'.split('');
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => {
          const piece = pieces.splice(0, 3).join('');
          if (piece === '') response.end();
          else response.write(piece);
        }, 40);
        response.once('close', () => clearInterval(timer));
      },
      1,
      'look',
    );
    const research = makeResearch(server(), { idleMs: 250 });
    expect(await research.poll(api, upstream, NEVER)).toEqual({ state: 'failed', remedy: null });
  });

  test('an answer too large to be a report is no report', async () => {
    const upstream = await begin('How are the tides?');
    server().fault(
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        // Without an end: what is read of it is enough.
        response.write(`{"status":"COMPLETED","filler":"${'x'.repeat(9_000_000)}`);
      },
      1,
      'look',
    );
    expect(await look(upstream)).toEqual({ state: 'empty' });
  });
}

export function endingContract({ api, server, makeResearch }: Context): void {
  test('an aborted signal stops every call before any request is made', async () => {
    const research = makeResearch(server());
    const before = server().requests.length;
    const signal = AbortSignal.abort();
    const submitting = await failureOf(handIn(research, api, 'How are the tides?', { signal }));
    expect(submitting).toMatchObject({ kind: 'stopped', ambiguous: false });
    expect((await failureOf(research.poll(api, 'x', signal))).kind).toBe('stopped');
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
    for (let n = 0; n < 4; n++) await research.poll(api, id, signal);
    expect(fresh.requests).toHaveLength(5);
    // The next request may come before the last connection is known to be free.
    expect(new Set(fresh.requests.map(({ connection }) => connection)).size).toBeLessThan(3);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
}
