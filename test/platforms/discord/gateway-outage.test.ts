/** Gateways that take connections and do nothing with them: the process lives, keeps one client, and leaves no socket behind. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, GatewayIntentBits } from 'discord.js';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Intake, Log } from '../../../src/core/ports.ts';
import { type DiscordApp, openDiscord } from '../../../src/platforms/discord/app.ts';
import { guardSockets } from '../../../src/platforms/discord/guard-sockets.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';
import type { DiscordServer } from '../../servers/discord/discord-server.ts';
import { createTown } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

const silentIntake: Intake = {
  accept: async () => 'ignored',
  press: async () => null,
  stop: async () => {},
  withdraw: async () => {},
  overhear: async () => {},
  revise: async () => {},
};

/** Takes uncaught errors out of vitest's hands for one test. */
function collectUncaught(): readonly Error[] {
  const before = process.listeners('uncaughtException');
  const errors: Error[] = [];
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  });
  return errors;
}

/** A gateway that does with every connection what it is told. */
async function startGateway(onUpgrade: (socket: Duplex, upgrade: () => void) => void) {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  let connections = 0;
  const open = new Set<Duplex>();
  http.on('upgrade', (request, socket, head) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
    // Without a reader its end would go unnoticed.
    socket.resume().on('end', () => socket.destroy());
    onUpgrade(socket, () => sockets.handleUpgrade(request, socket, head, () => {}));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    http.close();
  });
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { url, open, connections: () => connections };
}

async function openApp(server: DiscordServer, log: Log = quietLog): Promise<DiscordApp> {
  const { token, apiUrl } = server;
  return openDiscord({ token, apiUrl, messageContent: true, threads: 'always', log });
}

test('an app that stops while the gateway has not answered leaves nothing behind', async () => {
  const uncaught = collectUncaught();
  const gateway = await startGateway(() => {});
  const app = await openApp(await town.server({ gatewayUrl: gateway.url }));
  const listening = app.listen(silentIntake, memoryKeyValue()).catch(() => 'ended');
  await vi.waitFor(() => expect(gateway.open.size).toBe(1));
  await app.stop();
  expect(await listening).toBe('ended');
  await vi.waitFor(() => expect(gateway.open.size).toBe(0));
  expect(uncaught).toEqual([]);
});

// To be removed, with guard-sockets.ts, when this fails.
test('@discordjs/ws 1.2.3 leaves a socket whose error nobody listens to', async () => {
  const uncaught = collectUncaught();
  const gateway = await startGateway(() => {});
  const { token, apiUrl } = await town.server({ gatewayUrl: gateway.url });
  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: apiUrl, makeRequest: fetch as never },
  });
  void client.login(token).catch(() => {});
  await vi.waitFor(() => expect(gateway.open.size).toBe(1));
  await client.destroy();
  for (const socket of gateway.open) socket.end('HTTP/1.1 504 Gateway Timeout\r\n\r\n');
  await vi.waitFor(() => expect(uncaught[0]?.message).toContain('504'));
});

test('a client that is destroyed while it waits to connect again does not', async () => {
  const start = async () => {
    const gateway = await startGateway((_, upgrade) => upgrade());
    const { token, apiUrl } = await town.server({ gatewayUrl: gateway.url });
    const client = new Client({
      intents: [GatewayIntentBits.Guilds],
      rest: { api: apiUrl, makeRequest: fetch as never },
    });
    void client.login(token).catch(() => {});
    guardSockets(client);
    onTestFinished(() => void client.destroy());
    await vi.waitFor(() => expect(gateway.open.size).toBe(1), 10_000);
    return { gateway, client };
  };
  const drop = async ({ open }: Awaited<ReturnType<typeof startGateway>>): Promise<void> => {
    for (const socket of open) socket.destroy();
    await vi.waitFor(() => expect(open.size).toBe(0));
  };
  const destroyed = await start();
  await drop(destroyed.gateway);
  await destroyed.client.destroy();
  // The pause of @discordjs/ws has ended for the first when it has for one that connected later.
  const kept = await start();
  await drop(kept.gateway);
  await vi.waitFor(() => expect(kept.gateway.connections()).toBe(2), 10_000);
  expect(destroyed.gateway.connections()).toBe(1);
});

test('a gateway that does not answer for 30 s is said with its cure, and the app goes on trying', async () => {
  let isAnswering = false;
  const gateway = await startGateway((socket) => void (isAnswering ? socket.destroy() : null));
  const lines: string[] = [];
  const log: Log = { ...quietLog, warn: (_, message) => void lines.push(message), child: () => log };
  const app = await openApp(await town.server({ gatewayUrl: gateway.url }), log);
  onTestFinished(() => app.stop());
  await app.listen(silentIntake, memoryKeyValue());
  expect(lines.join('\n')).toMatch(/Discord's gateway within 30 s.*DISCORD_API_URL/);
  expect(app.ready()).toBe(false);
  isAnswering = true;
  await vi.waitFor(() => expect(gateway.connections()).toBeGreaterThan(1), 12_000);
}, 60_000);
