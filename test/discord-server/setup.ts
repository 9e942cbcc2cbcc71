import { createRequire } from 'node:module';
import { Client, type ClientOptions, Events, GatewayIntentBits, Partials } from 'discord.js';
import { onTestFinished } from 'vitest';
import {
  type DiscordServer,
  type DiscordServerOptions,
  startDiscordServer,
} from '../servers/discord/discord-server.ts';

export const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
];

/**
 * The HTTP client that discord.js is made for. Left alone it hands its forms to whatever version was loaded first in this
 * process, and Slack's does not know them.
 */
const inDiscordJs = createRequire(import.meta.resolve('discord.js'));
const { Agent } = createRequire(inDiscordJs.resolve('@discordjs/rest'))('undici');

/** Starts the stand-in for one test. */
export async function startServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const server = await startDiscordServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** A real discord.js client, pointed at the stand-in; not logged in yet. */
export function createClient(
  server: Pick<DiscordServer, 'apiUrl'>,
  options: Partial<ClientOptions> = {},
): Client {
  const agent = new Agent();
  const client = new Client({
    intents: INTENTS,
    partials: [Partials.Channel],
    waitGuildTimeout: 1000,
    rest: { api: server.apiUrl, retries: 0, agent },
    allowedMentions: { parse: [], repliedUser: false },
    enforceNonce: true,
    ...options,
  });
  client.on(Events.Error, () => undefined);
  onTestFinished(async () => {
    await client.destroy();
    await agent.close();
  });
  return client;
}

/** A client that has logged in and knows the guild. */
export async function connect(
  server: DiscordServer,
  options: Partial<ClientOptions> = {},
): Promise<Client<true>> {
  const client = createClient(server, options);
  const ready = new Promise<Client<true>>((resolve) => {
    client.once(Events.ClientReady, resolve);
  });
  await client.login(server.token);
  return ready;
}

export function channelId(server: DiscordServer, name: string): string {
  const channel = server.channels.find((other) => other.name === name);
  if (!channel) throw new Error(`no channel ${name}`);
  return channel.id;
}

export interface RestResult {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; null without a body. */
  readonly body: Record<string, unknown> & { readonly id: string; readonly code: number };
}

/** One bare REST call with the bot's token, or none. */
export async function rest(
  server: DiscordServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: `Bot ${server.token}` },
): Promise<RestResult> {
  const response = await fetch(`${server.apiUrl}/v10${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // Each test knows what it asked for.
  const parsed = (text === '' ? null : JSON.parse(text)) as RestResult['body'];
  return { status: response.status, headers: response.headers, body: parsed };
}
