import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import { type Proxy, startProxy } from '../../support/proxy.ts';

let slack: SlackServer;
let proxy: Proxy;
beforeAll(async () => {
  [slack, proxy] = await Promise.all([startSlackServer(), startProxy()]);
});
afterAll(async () => {
  await Promise.all([proxy.close(), slack.close()]);
});

test('a process that was told to use a proxy reaches Slack through it', async () => {
  const args = [join(import.meta.dirname, 'through-proxy.ts'), slack.botToken, slack.apiUrl];
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, NO_PROXY: '' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
  expect(new Set(proxy.asked)).toEqual(new Set([new URL(slack.apiUrl).host]));
});
