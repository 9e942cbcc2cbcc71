import { describe, expect, onTestFinished, test } from 'vitest';
import type { Model } from '../../src/core/ports.ts';
import type { RateLimitNotice } from '../../src/perplexity/client.ts';
import { createPerplexity, type PerplexityOptions } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import {
  type PerplexityServer,
  type PerplexityServerOptions,
  startPerplexityServer,
} from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

interface Setup {
  readonly server: PerplexityServer;
  readonly model: Model;
  readonly warnings: readonly string[];
  readonly paths: () => readonly string[];
}

async function setup(options: PerplexityServerOptions, api: PerplexityOptions['api']): Promise<Setup> {
  const server = await startPerplexityServer(options);
  onTestFinished(() => server.close());
  const { log, warnings } = createSilentLog();
  const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api, log });
  return { server, model, warnings, paths: () => server.requests.map(({ path }) => path) };
}

describe('choosing the API', () => {
  test('a working key stays with chat completions', async () => {
    const { model, paths, warnings } = await setup({}, 'auto');
    await outcomeOf(model, question('one'));
    await outcomeOf(model, question('two'));
    expect(paths()).toEqual(['/chat/completions', '/chat/completions']);
    expect(warnings).toEqual([]);
  });

  test.for(['agent-only', 'agent-only-migration'] as const)(
    'a key for which chat completions are retired (%s) is answered by the Agent API from then on',
    async (api) => {
      const { model, paths, warnings } = await setup({ api }, 'auto');
      const first = await outcomeOf(model, question('one'));
      expect(first.failure).toBeNull();
      expect(first.sources).toHaveLength(4);
      await outcomeOf(model, question('two'));
      expect(paths()).toEqual(['/chat/completions', '/v1/responses', '/v1/responses']);
      expect(warnings).toHaveLength(1);
    },
  );

  test('questions that find the API retired at the same time are all answered, with one warning', async () => {
    const { model, warnings } = await setup({ api: 'agent-only' }, 'auto');
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((text) => outcomeOf(model, question(text))));
    expect(outcomes.map(({ failure }) => failure)).toEqual([null, null, null, null]);
    expect(warnings).toHaveLength(1);
  });

  test('every request is let go by its API, that to the second API too', async () => {
    const { model, paths } = await setup({ api: 'agent-only' }, 'auto');
    const admitted: string[] = [];
    const admit = async (kind: string): Promise<void> =>
      void admitted.push(`${kind} after ${paths().length}`);
    const { signal } = new AbortController();
    for await (const event of model.answer(question('one'), signal, admit)) expect(event).toBeDefined();
    expect(admitted).toEqual(['chat after 0', 'agent after 1']);
  });

  test('what a response says of the rate limit is told, with its API', async () => {
    const server = await startPerplexityServer({ limits: { agent: 150, chat: 8, chatLook: 6_000 } });
    onTestFinished(() => server.close());
    const told: string[] = [];
    const { log } = createSilentLog();
    const shared = { apiKey: server.apiKey, baseUrl: server.url, log };
    const onRateLimit = (kind: string, said: RateLimitNotice): void => {
      told.push(`${kind} ${said.perMinute} ${said.usedUpForMs}`);
    };
    for (const api of ['chat', 'agent'] as const) {
      const { model, research } = createPerplexity({ ...shared, api, onRateLimit });
      await outcomeOf(model, question('one'));
      await research.poll(api, 'unknown', new AbortController().signal);
    }
    // Eight a minute is less than any tier has: it means another time.
    expect(told).toEqual(['chat-poll 6000 null', 'agent 150 null', 'agent 150 null']);
  });

  test('that no request is left is told, with the time until there is one', async () => {
    const server = await startPerplexityServer({ limits: { chat: 2 } });
    onTestFinished(() => server.close());
    const told: RateLimitNotice[] = [];
    const { log } = createSilentLog();
    const onRateLimit = (_kind: string, said: RateLimitNotice): void => void told.push(said);
    const shared = { apiKey: server.apiKey, baseUrl: server.url, log };
    const { model } = createPerplexity({ ...shared, api: 'chat', onRateLimit });
    // The third is refused: whoever asked for it heeds that.
    for (let n = 0; n < 3; n++) await outcomeOf(model, question('one'));
    expect(told).toEqual([{ perMinute: null, usedUpForMs: expect.any(Number) }]);
    expect(told[0]?.usedUpForMs).toBeGreaterThan(55_000);
    expect(told[0]?.usedUpForMs).toBeLessThanOrEqual(61_000);
  });

  test('another 403 does not change the API', async () => {
    const { server, model, paths } = await setup({}, 'auto');
    server.fault('403');
    expect((await outcomeOf(model, question('one'))).failure?.kind).toBe('not-authorised');
    await outcomeOf(model, question('two'));
    expect(paths()).toEqual(['/chat/completions', '/chat/completions']);
  });

  test('with chat completions fixed, a retired key is a failure that names the setting', async () => {
    const { model, paths } = await setup({ api: 'agent-only' }, 'chat');
    const { failure } = await outcomeOf(model, question('one'));
    expect(failure).toMatchObject({
      kind: 'not-authorised',
      code: 'chat_completions_not_available',
      remedy: expect.stringContaining('PERPLEXITY_API'),
    });
    expect(paths()).toHaveLength(1);
  });

  test('a limit word in the question strikes once in that conversation', async () => {
    const { model } = await setup({}, 'auto');
    const kinds = [];
    for (let i = 0; i < 3; i++) {
      kinds.push((await outcomeOf(model, question('tides fault:429x2'))).failure?.kind ?? 'answered');
    }
    expect(kinds).toEqual(['rate-limited', 'rate-limited', 'answered']);
  });
});
