import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import { ADA, connect, GENERAL } from './setup.ts';

/** Only the proxy knows this name: what does not go through it fails. */
const HOST = 'slack.test';

test('a process that was told to use a proxy calls Slack through it, files and response_url included', async () => {
  const { server, app, intake, researchCommands, close } = await connect();
  const { host } = new URL(server.apiUrl);
  const proxy = await startProxy({ resolve: (authority) => (authority.startsWith(HOST) ? host : authority) });
  await app.listen(intake, researchCommands);
  server.command({ user: ADA, channel: GENERAL, command: '/ask', text: 'why?' });
  await expect.poll(() => intake.questions).toHaveLength(1);
  const responseUrl = intake.questions[0]?.delivery.responseUrl ?? '';
  const script = join(import.meta.dirname, 'through-proxy.ts');
  const args = [script, server.botToken, `http://${HOST}/api/`, responseUrl.replace(host, HOST)];
  const env = { ...process.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, NO_PROXY: '' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(JSON.parse(stdout)).toEqual({ ok: true, uploads: 1, isTold: true });
  expect(server.history(GENERAL).at(-1)?.text).toBe('Through a proxy');
  expect(server.ephemerals.at(-1)?.text).toBe('In private');
  // The address that the file is sent to is the stand-in's own.
  expect(new Set(proxy.asked)).toEqual(new Set([`${HOST}:80`, host]));
  await proxy.close();
  await close();
});
