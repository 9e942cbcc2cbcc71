import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';

let perplexity: PerplexityServer;
let slack: SlackServer;
let proxy: Proxy;

beforeAll(async () => {
  [perplexity, slack, proxy] = await Promise.all([startPerplexityServer(), startSlackServer(), startProxy()]);
});
afterAll(async () => {
  await Promise.all([proxy.close(), perplexity.close(), slack.close()]);
});

test('a process that was told to use a proxy reaches the model and Slack through it', async () => {
  const script = join(import.meta.dirname, 'through-proxy.ts');
  const args = [script, perplexity.apiKey, perplexity.url, slack.botToken, slack.apiUrl];
  const env = {
    ...process.env,
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: proxy.url,
    NO_PROXY: '',
  };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(JSON.parse(stdout)).toMatchObject({ failure: null, ok: true, text: expect.stringMatching(/\w/) });
  expect(new Set(proxy.asked)).toEqual(new Set([new URL(perplexity.url).host, new URL(slack.apiUrl).host]));
});
