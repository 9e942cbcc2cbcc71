import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { ResearchApi } from '../../src/core/research/ports.ts';
import { createPerplexity, type PerplexityOptions } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { failureOf, handIn } from '../contracts/research-setup.ts';
import { type PerplexityServerOptions, startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

const NEVER = new AbortController().signal;

async function setup(options: PerplexityServerOptions, api: PerplexityOptions['api'] = 'auto') {
  const server = await startPerplexityServer(options);
  onTestFinished(() => server.close());
  const { log, warnings } = createSilentLog();
  const perplexity = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api, log });
  const { research, model } = perplexity;
  return {
    server,
    research,
    warnings,
    paths: () => server.requests.map(({ path }) => path),
    ask: () => outcomeOf(model, question('How are the tides?')),
    submit: (to: ResearchApi = research.api()) => handIn(research, to, `tides ${randomUUID()}`),
  };
}

/** The next try goes to the other API. */
const RETIRED_HERE = { kind: 'unreachable', ambiguous: false };

const RETIRED = ['agent-only', 'agent-only-migration'] as const;

test('a working key researches with chat completions', async () => {
  const { submit, research, warnings } = await setup({});
  expect(await submit()).toEqual({ upstream: expect.any(String) });
  expect(research.api()).toBe('chat');
  expect(warnings).toEqual([]);
});

test.for(RETIRED)('research that finds chat completions retired (%s) says so to answers', async (api) => {
  const { submit, research, ask, paths, warnings, server } = await setup({ api });
  expect(research.api()).toBe('chat');
  expect(await failureOf(submit())).toMatchObject(RETIRED_HERE);
  expect(research.api()).toBe('agent');
  expect(await submit()).toMatchObject({ upstream: expect.stringMatching(/^resp_/) });
  expect((await ask()).failure).toBeNull();
  expect(paths()).toEqual(['/async/chat/completions', '/v1/responses', '/v1/responses']);
  expect(server.research.submissions.map(({ outcome }) => outcome)).toEqual(['created']);
  expect(warnings).toHaveLength(1);
});

test.for(RETIRED)('an answer that finds chat completions retired (%s) says so to research', async (api) => {
  const { submit, research, ask, paths, warnings } = await setup({ api });
  expect((await ask()).failure).toBeNull();
  expect(research.api()).toBe('agent');
  expect(await submit()).toMatchObject({ upstream: expect.any(String) });
  expect(paths()).toEqual(['/chat/completions', '/v1/responses', '/v1/responses']);
  expect(warnings).toHaveLength(1);
});

test('many that find it at the same time warn once', async () => {
  const { submit, ask, warnings } = await setup({ api: 'agent-only' });
  const results = await Promise.all([failureOf(submit('chat')), ask(), failureOf(submit('chat')), ask()]);
  expect([results[0], results[2]]).toMatchObject([RETIRED_HERE, RETIRED_HERE]);
  expect([results[1].failure, results[3].failure]).toEqual([null, null]);
  expect(warnings).toHaveLength(1);
});

test('a job that was begun before goes on being looked at where it was begun, and says why it cannot', async () => {
  const { submit, research, server, warnings } = await setup({});
  const { upstream } = await submit();
  server.setApi('agent-only');
  const failure = await failureOf(research.poll('chat', upstream, NEVER));
  expect(failure).toMatchObject({ kind: 'not-authorised', code: 'chat_completions_not_available' });
  expect(failure.remedy).toMatch(/closed the API/);
  expect(research.api()).toBe('agent');
  expect(warnings).toHaveLength(1);
  server.setApi('both');
  expect(await research.poll('chat', upstream, NEVER)).toEqual({ state: 'queued' });
});

test.for(['404', 'html-405'] as const)(
  'where only the asynchronous part is gone (%s), answers stay with chat completions',
  async (fault) => {
    const { submit, research, ask, server, paths, warnings } = await setup({});
    if (fault === '404') server.fault('404', 1, 'submit');
    else server.fault((response) => response.writeHead(405).end('<html>'), 1, 'submit');
    expect(await failureOf(submit())).toMatchObject(RETIRED_HERE);
    expect(research.api()).toBe('agent');
    await ask();
    expect(paths().at(-1)).toBe('/chat/completions');
    expect(warnings).toHaveLength(1);
  },
);

test.for(['401', '403', '429', '500', 'lost'] as const)('%s does not change the API', async (fault) => {
  const { submit, research, server } = await setup({});
  server.fault(fault, 1, 'submit');
  await failureOf(submit());
  expect(research.api()).toBe('chat');
});

test('with chat completions fixed, a retired key is a failure that names the setting', async () => {
  const { submit, research, warnings } = await setup({ api: 'agent-only' }, 'chat');
  const failure = await failureOf(submit());
  expect(failure).toMatchObject({ kind: 'not-authorised', ambiguous: false });
  expect(failure.remedy).toContain('PERPLEXITY_API');
  expect(research.api()).toBe('chat');
  expect(warnings).toEqual([]);
});

test('with the Agent API fixed, nothing else is asked', async () => {
  const { submit, research, paths } = await setup({}, 'agent');
  expect(research.api()).toBe('agent');
  await submit();
  expect(paths()).toEqual(['/v1/responses']);
});
