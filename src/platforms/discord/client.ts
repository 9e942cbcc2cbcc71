import http from 'node:http';
import https from 'node:https';
import {
  Client,
  DefaultRestOptions,
  GatewayIntentBits,
  type IIdentifyThrottler,
  Options,
  Partials,
  type RESTOptions,
} from 'discord.js';
import { readBounded } from '../../core/bounded-body.ts';

export interface DiscordClientOptions {
  /** What discord.js calls `rest.api`, without the version; null for Discord's own. */
  readonly apiUrl: string | null;
  /** Whether to ask for the privileged Message Content intent. */
  readonly messageContent?: boolean;
  /** Paces IDENTIFY; discord.js' own throttler, which forgets at a restart, when left out. */
  readonly identifyThrottler?: IIdentifyThrottler;
}

const INTENTS = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages];

/** A hung call is given up after this long. */
const TIMEOUT_MS = 10_000;
/** Interactions wait for the guilds of a new session, and have to be responded to within 3 s. */
const GUILDS_WAIT_MS = 2_000;
/** A message and the one it replies to. */
const MESSAGES_PER_CHANNEL = 2;
/** Members are kept for their nicknames only. */
const MEMBERS_PER_GUILD = 100;

/**
 * Creates a discord.js client that retries nothing, never waits for a rate limit out of sight, notifies nobody and caches
 * only what routing a message needs. `login` connects the gateway; a process that only writes sets the token of `client.rest`
 * instead. Its `destroy` also clears that token.
 */
export function createDiscordClient(options: DiscordClientOptions): Client {
  const { apiUrl, messageContent = false, identifyThrottler } = options;
  sendSocketsThroughProxy();
  const client: Client = new Client({
    intents: messageContent ? [...INTENTS, GatewayIntentBits.MessageContent] : INTENTS,
    // As many as Discord recommends, all in this process.
    shards: 'auto',
    // Direct conversations, and messages that are edited or deleted, are not in the cache.
    partials: [Partials.Channel, Partials.Message],
    makeCache: Options.cacheWithLimits({
      ...NOT_CACHED,
      MessageManager: MESSAGES_PER_CHANNEL,
      UserManager: { maxSize: 1, keepOverLimit: (user) => user.id === client.user?.id },
      GuildMemberManager: {
        maxSize: MEMBERS_PER_GUILD,
        keepOverLimit: (member) => member.id === client.user?.id,
      },
    }),
    waitGuildTimeout: GUILDS_WAIT_MS,
    allowedMentions: { parse: [], repliedUser: false },
    rest: {
      api: (apiUrl ?? DefaultRestOptions.api).replace(/\/+$/, ''),
      retries: 0,
      timeout: TIMEOUT_MS,
      rejectOnRateLimit: () => true,
      // Our own pacing counts calls. discord.js' count of 50 a second includes responses to interactions, which Discord exempts.
      globalRequestsPerSecond: Number.POSITIVE_INFINITY,
      // Node's own `fetch` knows its own forms and, with NODE_USE_ENV_PROXY=1, the proxies.
      makeRequest: fetchBounded as unknown as RESTOptions['makeRequest'],
    },
    ws: { ...(identifyThrottler && { buildIdentifyThrottler: () => identifyThrottler }) },
  });
  return client;
}

/**
 * discord.js names it as what fits; its types are those of another undici than Node's. Discord redirects no call: what does is
 * another server, and would be sent elsewhere with what people wrote. The body is read here, since discord.js 14.28 reads it
 * however long it is, and after its timeout.
 */
async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  return readBounded(await fetch(url, { ...init, redirect: 'error' }), MAX_BODY_BYTES);
}

/** A hundred messages, the most that Discord sends at once, stay below a few of these. */
const MAX_BODY_BYTES = 16_000_000;

const NOT_CACHED = {
  ApplicationCommandManager: 0,
  ApplicationEmojiManager: 0,
  AutoModerationRuleManager: 0,
  BaseGuildEmojiManager: 0,
  EntitlementManager: 0,
  GuildBanManager: 0,
  GuildEmojiManager: 0,
  GuildInviteManager: 0,
  GuildScheduledEventManager: 0,
  GuildStickerManager: 0,
  PresenceManager: 0,
  ReactionManager: 0,
  ReactionUserManager: 0,
  StageInstanceManager: 0,
  ThreadMemberManager: 0,
  VoiceStateManager: 0,
};

/**
 * Sends WebSockets through Node's own agents, which know the proxies of the environment (`NODE_USE_ENV_PROXY=1`); without those
 * it does nothing. @discordjs/ws 1.2.3 gives its sockets no agent and has no option for one, and ws 8.23 then connects by itself.
 * To be removed when discord.js takes an agent for its gateway.
 */
function sendSocketsThroughProxy(): void {
  for (const protocol of [http, https]) {
    // The types leave out that an agent for http has options too.
    const { options: agentOptions } = protocol.globalAgent as https.Agent;
    if (agentOptions.proxyEnv === undefined || guided.has(protocol)) continue;
    guided.add(protocol);
    const send = protocol.request as (options: unknown, ...rest: unknown[]) => http.ClientRequest;
    const request: typeof send = (options, ...rest) =>
      send(isUnguidedSocket(options) ? { ...options, agent: protocol.globalAgent } : options, ...rest);
    Object.assign(protocol, { request });
  }
}

const guided = new Set<typeof http | typeof https>();

/** A request of ws for a WebSocket, with a way to connect of its own and no agent. */
function isUnguidedSocket(options: unknown): options is http.RequestOptions {
  if (typeof options !== 'object' || options === null || options instanceof URL) return false;
  const { agent, createConnection, headers }: http.RequestOptions = options;
  const isSocket = headers !== undefined && 'Upgrade' in headers && headers.Upgrade === 'websocket';
  return isSocket && agent === undefined && createConnection !== undefined;
}
