/**
 * Why src/platforms/slack/socket-mode.ts does not let the library reconnect and read frames: each test fails when its defect is
 * fixed in @slack/socket-mode (3.1.0 has them; 3.1.1 and 3.2.0 are said to fix the first and the last). Then that part can go.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SocketModeClient } from '@slack/socket-mode';
import { expect, test, vi } from 'vitest';
import { createSdkLogger } from '../../../src/platforms/slack/client.ts';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import { silentLog } from './log.ts';

const PING_TIMEOUT_MS = 600;

/** What the client is built with, also in a process of its own. */
function optionsFor({ appToken, apiUrl: slackApiUrl }: SlackServer) {
  const clientOptions = { slackApiUrl, retryConfig: { retries: 0 } };
  return { appToken, clientOptions, clientPingTimeout: PING_TIMEOUT_MS };
}

test('a renewed socket is closed at once, and its successor waits for the ping timeout', async () => {
  const server = await startSlackServer();
  const client = new SocketModeClient({ ...optionsFor(server), logger: createSdkLogger(silentLog) });
  await client.start();
  const greeted = new Promise((resolve) => client.once('connected', resolve));
  const before = performance.now();
  server.disconnect('warning');
  await vi.waitFor(() => expect(server.sockets()).toBe(0), { timeout: 500, interval: 5 });
  await vi.waitFor(() => expect(server.sockets()).toBe(1), { timeout: 5_000, interval: 5 });
  expect(performance.now() - before).toBeGreaterThan(PING_TIMEOUT_MS - 100);
  // Before it is greeted, to disconnect is an unhandled rejection too.
  await greeted;
  await client.disconnect();
  await server.close();
});

test('a reconnect that fails once ends the process with an unhandled rejection', async () => {
  const server = await startSlackServer();
  const ended = run(server);
  await vi.waitFor(() => expect(server.sockets()).toBe(1), 10_000);
  server.fault('apps.connections.open', { status: 503 });
  server.dropSockets();
  expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('503') });
  await server.close();
});

test('a frame without an inner event ends the process with an unhandled rejection', async () => {
  const server = await startSlackServer();
  const ended = run(server);
  await vi.waitFor(() => expect(server.sockets()).toBe(1), 10_000);
  server.deliverRaw({ envelope_id: 'e1', type: 'events_api', payload: { type: 'app_rate_limited' } });
  expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('TypeError') });
  await server.close();
});

/** A process that does nothing but connect; resolves with how it ended, at the latest after 15 s. */
async function run(server: SlackServer): Promise<unknown> {
  const script = `
    import { LogLevel, SocketModeClient } from '@slack/socket-mode';
    await new SocketModeClient({ ...${JSON.stringify(optionsFor(server))}, logLevel: LogLevel.ERROR }).start();`;
  const args = ['--input-type=module', '--eval', script];
  return promisify(execFile)(process.execPath, args, { timeout: 15_000 }).catch((error: unknown) => error);
}
