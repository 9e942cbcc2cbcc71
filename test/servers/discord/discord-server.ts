import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, type GatewayControl } from './gateway.ts';
import { createListener } from './http.ts';
import {
  invokeAutocomplete,
  invokeCommand,
  invokeMessageCommand,
  pressButton,
  submitModal,
} from './invoking.ts';
import { createLimits, type LimitMode } from './limits.ts';
import { channelNamed } from './lookup.ts';
import { createPeople, type PeopleControl } from './people.ts';
import { createFaults, type Fault, type RecordedCall } from './recording.ts';
import { applicationRoutes } from './routes-application.ts';
import { channelRoutes } from './routes-channels.ts';
import { interactionRoutes } from './routes-interactions.ts';
import { messageRoutes, redeliver } from './routes-messages.ts';
import { nextSnowflake } from './snowflakes.ts';
import type { Author, ChannelKind, DiscordState, InteractionState, Person } from './state.ts';
import { type VisibleInteraction, type VisibleMessage, viewInteraction, viewMessage } from './visible.ts';
import { newState, type World } from './world.ts';

export interface DiscordServerOptions {
  /** 0 (any free one) when left out. */
  readonly port?: number;
  /** Rate limits for REST and gateway; `off` when left out. */
  readonly limits?: LimitMode;
  readonly latencyMs?: number;
  /** So many more people and channels, `person-0` and `channel-0` the first. */
  readonly crowd?: { readonly people: number; readonly channels: number };
  readonly token?: string;
  /** The portal's Message Content switch, on when left out. Off: the intent closes with 4014 and REST reads are emptied. */
  readonly messageContentAllowed?: boolean;
  readonly heartbeatMs?: number;
  /** The gateway's address; its own unless given. */
  readonly gatewayUrl?: string;
  /** How many shards it wants a bot to have, 1 when left out. */
  readonly shards?: number;
  /** Continues from a snapshot. */
  readonly state?: DiscordState;
  readonly random?: () => number;
  /** Milliseconds since the epoch: the clock of ids, limits, interaction tokens and edits of old messages. */
  readonly now?: () => number;
}

/** A Discord of one guild on loopback: REST v10, gateway, the people in it, and a record of all that happened. */
export interface DiscordServer extends PeopleControl {
  /** `http://127.0.0.1:PORT/api`: what discord.js calls `rest.api`. */
  readonly apiUrl: string;
  readonly token: string;
  readonly applicationId: string;
  readonly botUser: Author;
  readonly guild: DiscordState['guild'];
  readonly people: readonly Person[];
  readonly channels: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: ChannelKind;
    readonly parent?: string;
    readonly archived?: boolean;
  }[];
  command(call: Parameters<typeof invokeCommand>[1]): VisibleInteraction;
  messageCommand(call: Parameters<typeof invokeMessageCommand>[1]): VisibleInteraction;
  autocomplete(call: Parameters<typeof invokeAutocomplete>[1]): VisibleInteraction;
  press(call: Parameters<typeof pressButton>[1]): VisibleInteraction;
  submit(call: Parameters<typeof submitModal>[1]): VisibleInteraction;
  /** What a channel shows, oldest first; with `viewer` (a user id) that person's ephemeral messages too. */
  history(channel: string, viewer?: string): VisibleMessage[];
  readonly interactions: readonly VisibleInteraction[];
  readonly typing: readonly { readonly channel: string; readonly at: number }[];
  readonly calls: readonly RecordedCall[];
  /** Answers with 401, 403 or 429 in the last 10 minutes. */
  invalidRequests(): number;
  /** @param pattern see `Faults.add` */
  fault(pattern: string, fault: Fault, times?: number): void;
  clearFaults(): void;
  readonly gateway: GatewayControl;
  /** Calls the listener after every visible change; returns how to stop it. */
  onChange(listener: () => void): () => void;
  snapshot(): DiscordState;
  close(): Promise<void>;
}

/** Starts the stand-in on 127.0.0.1. */
export async function startDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServer> {
  const now = options.now ?? Date.now;
  const state = options.state
    ? structuredClone(options.state)
    : newState(options.token, now(), options.crowd);
  const listeners = new Set<() => void>();
  let origin = '';
  const touch = (): void => {
    for (const listener of listeners) listener();
  };
  const world: World = {
    state,
    now,
    touch,
    random: options.random ?? Math.random,
    nextId: () => (state.lastId = nextSnowflake(state.lastId, now())),
    origin: () => origin,
    shards: options.shards ?? 1,
    gatewayUrl: () => options.gatewayUrl ?? origin.replace('http', 'ws'),
    dispatch(event) {
      gateway.dispatch(event);
      touch();
    },
    messageContentAllowed: options.messageContentAllowed ?? true,
  };
  const limitMode = options.limits ?? 'off';
  const limits = createLimits(limitMode, now);
  const gateway = createGateway(world, { heartbeatMs: options.heartbeatMs ?? 41_250, limits: limitMode });
  const faults = createFaults();
  const calls: RecordedCall[] = [];
  const application = applicationRoutes(() => gateway.identifies);
  const routes = [...messageRoutes, ...channelRoutes, ...interactionRoutes, ...application];
  const http = { world, routes, limits, faults, calls, latencyMs: options.latencyMs ?? 0 };
  const server = createServer(createListener(http));
  // Longer than any test: a connection closed for being idle would look like a fault.
  server.keepAliveTimeout = 600_000;
  server.on('upgrade', gateway.upgrade);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  // A TCP server's address is never a string or null.
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;

  return {
    ...createPeople(world),
    ...invocations(world),
    apiUrl: `${origin}/api`,
    token: state.token,
    applicationId: state.applicationId,
    botUser: state.botUser,
    guild: state.guild,
    people: state.people,
    get channels() {
      return listChannels(world);
    },
    history: (channel, viewer) => historyOf(world, channel, viewer),
    get interactions() {
      return state.interactions.map((interaction) => viewInteraction(world, interaction));
    },
    get typing() {
      return typingIn(calls);
    },
    calls,
    invalidRequests: limits.invalid,
    fault: (pattern, fault, times = 1) => faults.add(pattern, fault, times),
    clearFaults: faults.clear,
    gateway: Object.assign(gateway, { redeliver: (messageId: string) => redeliver(world, messageId) }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    snapshot: () => structuredClone(state),
    async close() {
      gateway.stop();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function invocations(
  world: World,
): Pick<DiscordServer, 'command' | 'messageCommand' | 'autocomplete' | 'press' | 'submit'> {
  const view = (interaction: InteractionState): VisibleInteraction => viewInteraction(world, interaction);
  return {
    command: (call) => view(invokeCommand(world, call)),
    messageCommand: (call) => view(invokeMessageCommand(world, call)),
    autocomplete: (call) => view(invokeAutocomplete(world, call)),
    press: (call) => view(pressButton(world, call)),
    submit: (call) => view(submitModal(world, call)),
  };
}

function listChannels({ state }: World): DiscordServer['channels'] {
  return state.channels.map(({ id, name, kind, parent, thread }) => ({
    id,
    name,
    kind,
    ...(parent === null ? {} : { parent }),
    ...(thread ? { archived: thread.archived } : {}),
  }));
}

function historyOf(world: World, channel: string, viewer: string | undefined): VisibleMessage[] {
  const messages = world.state.messages[channelNamed(world, channel).id] ?? [];
  return messages
    .filter(({ ephemeralTo, type }) => type !== 21 && (ephemeralTo === null || ephemeralTo === viewer))
    .map((message) => viewMessage(world, message));
}

function typingIn(calls: readonly RecordedCall[]): { channel: string; at: number }[] {
  return calls
    .filter(({ route, status }) => route === '/channels/:channel/typing' && status === 204)
    .map(({ path, at }) => ({ channel: path.split('/')[2] ?? '', at }));
}
