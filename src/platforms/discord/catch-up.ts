import { sleep } from '../../core/concurrency.ts';
import type { KeyValue, Log } from '../../core/ports.ts';
import { kindOf } from './channels.ts';
import type { DiscordRest } from './rest.ts';
import {
  asId,
  asNumber,
  asObject,
  asObjects,
  compareIds,
  idAtTime,
  readMessage,
  type WireMessage,
} from './wire.ts';

/**
 * Reads what was said while there was no session to resume: bounded, newest channels first. Whatever was asked before is
 * known by its id, so reading too much is harmless.
 */
export interface CatchUp {
  /** A new session has begun. @param newest the newest message dealt with before it; null on the very first start. */
  begin(newest: string | null, guilds: number): void;
  /** A guild as GUILD_CREATE describes it. */
  offer(guild: unknown): void;
  /** Direct conversations are in no guild: the recent ones are kept in the store. */
  remember(directChannel: string): Promise<void>;
  stop(): void;
}

interface Candidate {
  readonly channel: string;
  readonly guild: string | null;
  readonly type: number;
  readonly last: string;
}

/** Older questions have been given up by whoever asked them. */
const LONGEST_MS = 15 * 60_000;
const MOST_CHANNELS = 20;
const MOST_MESSAGES = '50';
const MOST_DIRECT = 10;
/** A guild that is unavailable never comes. */
const GUILDS_WAIT_MS = 5_000;
const KEPT_MS = 30 * 24 * 60 * 60_000;
const DM = 1;

export interface CatchUpDeps {
  readonly rest: DiscordRest;
  readonly store: KeyValue;
  readonly botId: string;
  readonly log: Log;
  readonly hear: (message: WireMessage) => Promise<unknown>;
}

/** What has come of a new session's guilds so far. */
interface Gathering {
  readonly since: string;
  missing: number;
  readonly found: Candidate[];
  readonly complete: () => void;
}

export function createCatchUp(deps: CatchUpDeps): CatchUp {
  const { log } = deps;
  const stopping = new AbortController();
  let gathering: Gathering | null = null;
  return {
    begin(newest, guilds) {
      if (!newest) return;
      const oldest = idAtTime(Date.now() - LONGEST_MS);
      const since = compareIds(newest, oldest) > 0 ? newest : oldest;
      const all = Promise.withResolvers<void>();
      const mine: Gathering = { since, missing: guilds, found: [], complete: all.resolve };
      gathering = mine;
      if (guilds === 0) all.resolve();
      Promise.race([all.promise, sleep(GUILDS_WAIT_MS, stopping.signal)])
        .then(() => {
          if (gathering === mine) gathering = null;
          return readMissed(deps, mine, stopping.signal);
        })
        .catch((error: unknown) => log.warn({ err: error }, 'not caught up with'));
    },
    offer(guild) {
      if (!gathering) return;
      gathering.found.push(...candidatesIn(guild));
      gathering.missing--;
      if (gathering.missing === 0) gathering.complete();
    },
    remember: (directChannel) => rememberDirect(deps, directChannel),
    stop: () => stopping.abort(),
  };
}

async function readMissed(
  deps: CatchUpDeps,
  { since, found }: Gathering,
  signal: AbortSignal,
): Promise<void> {
  const { log } = deps;
  const recent = (await directChannels(deps)).map((channel) => ({
    channel,
    guild: null,
    type: DM,
    last: since,
  }));
  const newer = found
    .filter(({ last }) => compareIds(last, since) > 0)
    .sort((a, b) => compareIds(b.last, a.last));
  const chosen: readonly Candidate[] = [...recent, ...newer].slice(0, MOST_CHANNELS);
  log.info({ channels: chosen.length }, 'the old gateway session was lost: reading what was missed');
  for (const candidate of chosen) {
    if (signal.aborted) return;
    try {
      await readChannel(deps, candidate, since, signal);
    } catch (error) {
      log.debug({ err: error, channel: candidate.channel }, 'channel not caught up with');
    }
  }
}

async function readChannel(
  { rest, hear }: CatchUpDeps,
  { channel, guild, type }: Candidate,
  since: string,
  signal: AbortSignal,
): Promise<void> {
  const query = { after: since, limit: MOST_MESSAGES };
  const messages = asObjects(await rest.get(`/channels/${channel}/messages`, { query, signal }))
    // REST leaves out what the gateway would have said about the place.
    .map((raw) => readMessage({ ...raw, channel_type: type, ...(guild && { guild_id: guild }) }))
    .filter((message) => message !== null)
    .sort((a, b) => compareIds(a.id, b.id));
  for (const message of messages) await hear(message);
}

async function directChannels({ store, botId }: CatchUpDeps): Promise<readonly string[]> {
  return (await store.get<readonly string[]>(`direct:${botId}`)) ?? [];
}

async function rememberDirect(deps: CatchUpDeps, channel: string): Promise<void> {
  try {
    const known = await directChannels(deps);
    if (known[0] === channel) return;
    const list = [channel, ...known.filter((id) => id !== channel)].slice(0, MOST_DIRECT);
    await deps.store.set(`direct:${deps.botId}`, list, KEPT_MS);
  } catch (error) {
    // Only a later catch-up would miss it.
    deps.log.debug({ err: error }, 'direct conversation not remembered');
  }
}

function candidatesIn(value: unknown): Candidate[] {
  const guild = asObject(value);
  const id = asId(guild?.['id']);
  return [...asObjects(guild?.['channels']), ...asObjects(guild?.['threads'])].flatMap((raw) => {
    const channel = asId(raw['id']);
    const last = asId(raw['last_message_id']);
    const type = asNumber(raw['type']) ?? 0;
    // A forum's last "message" is its newest post, which is a thread of its own.
    const hasMessages = kindOf(type) !== 'text' || type === 0 || type === 2 || type === 5;
    return channel && last && hasMessages ? [{ channel, guild: id, type, last }] : [];
  });
}
