import type { Client } from 'discord.js';

/** What discord.js 14.28 and @discordjs/ws 1.2.3 keep to themselves. */
interface Manager {
  readonly options: { retrieveSessionInfo: (shard: number) => Session | Promise<Session> };
  readonly strategy: { readonly shards: ReadonlyMap<number, { readonly connection: Socket | null }> };
  destroy(options?: object): Promise<void>;
}

type Session = { readonly resumeURL: string } | null;

/** A WebSocket of ws. */
interface Socket {
  readonly readyState: number;
  removeAllListeners(event: 'close'): void;
  on(event: 'error', listener: () => void): void;
  terminate(): void;
}

const CONNECTING = 0;

/**
 * Makes up for three defects of @discordjs/ws 1.2.3; to be called as soon as a client logs in. A client that is destroyed
 * - leaves a socket that still connects without a listener, so that its error ends the process;
 * - connects again when it was waiting to, 500 ms after the last connection.
 * And a session whose address is no URL is never connected again; here it begins anew.
 */
export function guardSockets(client: Client): void {
  const manager = Reflect.get(client.ws, '_ws') as Manager | null;
  if (!manager) return;
  const { options, strategy } = manager;
  const retrieve = options.retrieveSessionInfo;
  const destroy = manager.destroy.bind(manager);
  let isDestroyed = false;
  // Asked for before every connection: what waits for it for ever does not connect.
  options.retrieveSessionInfo = async (shard) => {
    if (isDestroyed) return new Promise<never>(() => {});
    const session = await retrieve(shard);
    return session && URL.canParse(session.resumeURL) ? session : null;
  };
  manager.destroy = async (reason) => {
    isDestroyed = true;
    for (const { connection } of strategy.shards.values()) {
      if (connection?.readyState === CONNECTING) abandon(connection);
    }
    await destroy(reason);
  };
}

function abandon(socket: Socket): void {
  socket.removeAllListeners('close');
  socket.on('error', () => {});
  socket.terminate();
}
