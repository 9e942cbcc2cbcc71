import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';

let perplexity: PerplexityServer;
let slack: SlackServer;
let proxy: Server;
const tunnels: string[] = [];

beforeAll(async () => {
  [perplexity, slack] = await Promise.all([startPerplexityServer(), startSlackServer()]);
  proxy = createServer().on('connect', ({ url = '' }, near) => {
    tunnels.push(url);
    const [host = '', port] = url.split(':');
    const far = connect(Number(port), host, () => near.write('HTTP/1.1 200 Connected\r\n\r\n'));
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
    far.pipe(near).pipe(far);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await Promise.all([perplexity.close(), slack.close()]);
});

test('a process that was told to use a proxy reaches the model and Slack through it', async () => {
  const { port } = proxy.address() as AddressInfo; // a TCP server that listens
  const script = join(import.meta.dirname, 'through-proxy.ts');
  const args = [script, perplexity.apiKey, perplexity.url, slack.botToken, slack.apiUrl];
  const env = {
    ...process.env,
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: `http://127.0.0.1:${port}`,
    NO_PROXY: '',
  };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(JSON.parse(stdout)).toMatchObject({ failure: null, ok: true, text: expect.stringMatching(/\w/) });
  expect(new Set(tunnels)).toEqual(new Set([new URL(perplexity.url).host, new URL(slack.apiUrl).host]));
});
