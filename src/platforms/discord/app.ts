import { type Client, Routes } from 'discord.js';
import { Failure } from '../../core/failures.ts';
import type { Intake, KeyValue, ResearchCommands } from '../../core/ports.ts';
import type { ResearchPlatform } from '../../core/research/ports.ts';
import { asRecord, asText } from '../../core/untrusted.ts';
import { failureOf } from './errors.ts';
import { createMessageEvents, createTasks } from './events.ts';
import { createFileFetcher } from './fetch-file.ts';
import { createGateway, type Gateway, type GatewayDeps } from './gateway.ts';
import { attachInteractions, type InteractionDeps } from './interactions.ts';
import { createNames, type KnownNames } from './names.ts';
import { createPlatform } from './platform.ts';
import { createRest, type DiscordRest, type RestOptions } from './rest.ts';
import { openWatermark } from './watermark.ts';

export interface DiscordOptions extends RestOptions {
  /** Whether to ask for the Message Content intent; where Discord disallows it, only mentions are answered. */
  readonly messageContent: boolean;
  /** `never`: answers in channels are replies. */
  readonly threads: 'always' | 'never';
  /** The gateway connection ended in a way only an operator can cure. */
  readonly onFatal?: (failure: Failure) => void;
}

/** Footnote on Discord. */
export interface DiscordApp {
  readonly platform: ResearchPlatform;
  /**
   * Connects the gateway, takes questions to the intake, and reads what was said since an earlier process left. `store` is
   * where that is kept; `research` answers `/jobs`.
   * Resolves after 30 s at the latest: where there is no session yet it is tried for on.
   * @throws {Failure} with a remedy when Discord refuses; at once, ever after, when there never can be a session.
   */
  listen(intake: Intake, store: KeyValue, research?: ResearchCommands | null): Promise<void>;
  /** Disconnects, once what was received is stored or 3 s have passed; the next process reads the rest. */
  unlisten(): Promise<void>;
  /** False while the gateway should be connected and is not, and once Discord has refused the token. */
  ready(): boolean;
  stop(): Promise<void>;
}

const START_MS = 4_000;

/**
 * Finds out who we are and prepares both directions; nothing is received before `listen`.
 * @throws {Failure} within 5 s when the token is refused or Discord cannot be reached; its remedy names the variable.
 */
export async function openDiscord(options: DiscordOptions): Promise<DiscordApp> {
  const { log, threads } = options;
  const rest = createRest(options);
  const botId = await fetchBotId(rest);
  const names = createNames(rest);
  const outbound = { rest, log, threads, botId, names, threadRefusedAt: new Map<string, number>() };
  let listening: Gateway | null = null;
  let fatal: Failure | null = null;
  const onFatal = (failure: Failure): void => {
    fatal = failure;
    log.error({ code: failure.code }, failure.remedy ?? failure.message);
    options.onFatal?.(failure);
  };
  const unlisten = async (): Promise<void> => {
    const ended = listening;
    listening = null;
    await ended?.close();
  };
  return {
    platform: createPlatform(outbound, createFileFetcher(rest, options.apiUrl)),
    async listen(intake, store, research = null) {
      if (fatal) throw fatal;
      await unlisten();
      const gateway = await openInbound({ ...options, ...outbound, intake, store, research, onFatal });
      listening = gateway;
      try {
        await gateway.connect();
      } catch (error) {
        await unlisten();
        throw error;
      }
    },
    unlisten,
    ready: () => rest.isAuthorised() && !fatal && (listening?.isConnected() ?? true),
    async stop() {
      await unlisten();
      rest.close();
    },
  };
}

type InboundDeps = Omit<GatewayDeps, 'attach'> &
  Omit<InteractionDeps, 'tasks'> & { readonly rest: DiscordRest; readonly names: KnownNames };

/** Prepares the connection, with all that receives; closing it lets what has arrived be stored. */
async function openInbound(deps: InboundDeps): Promise<Gateway> {
  const { rest, store, botId, log, names } = deps;
  const watermark = await openWatermark(store, botId, log);
  // The reads of catching up are discord.js' own: they count from the moment they may be made.
  const acquire = async (signal: AbortSignal): Promise<void> => {
    if (await rest.limits.all.acquire('progress', signal)) rest.limits.all.settle();
  };
  const tasks = createTasks(log);
  const events = createMessageEvents({ ...deps, watermark, acquire, tasks });
  const attach = (client: Client): void => {
    names.attach(client);
    events.attach(client);
    attachInteractions(client, { ...deps, tasks });
  };
  const gateway = createGateway({ ...deps, attach });
  return {
    ...gateway,
    async close() {
      await gateway.close();
      await events.stop();
    },
  };
}

/** Our own user id. @throws {Failure} */
async function fetchBotId(rest: DiscordRest): Promise<string> {
  const deadline = AbortSignal.timeout(START_MS);
  try {
    const id = asText(asRecord(await rest.get(Routes.user(), { signal: deadline }))?.['id']);
    if (!id) throw new Failure('malformed', 'no id in the answer');
    return id;
  } catch (error) {
    rest.close();
    throw startFailure(error, deadline.aborted);
  }
}

function startFailure(error: unknown, isLate: boolean): Failure {
  const failure = failureOf(error, 'GET /users/@me');
  const { kind, status, message } = failure;
  if (kind === 'not-authorised') return failure;
  const how = isLate ? 'does not answer within 4 s' : status ? `answers ${status}` : 'cannot be reached';
  const isWrong = kind === 'malformed' || kind === 'rejected';
  const what = isWrong ? 'does not answer like Discord' : how;
  const remedy = `Discord ${what}: check the network, and DISCORD_API_URL if it is set`;
  return new Failure(isWrong ? 'rejected' : 'unreachable', message, { status, remedy });
}
