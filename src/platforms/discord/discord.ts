import { Failure } from '../../core/failures.ts';
import type { Intake, KeyValue, Log, Platform, ResearchCommands } from '../../core/ports.ts';
import type { ResearchMessages } from '../../core/research/ports.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createDenials } from './place.ts';
import { createPlatform } from './platform.ts';
import { createReceiver, type Receiver } from './receiving.ts';
import { createResearchMessages } from './research-board.ts';
import { createRest, type DiscordRest } from './rest.ts';
import { asId, asObject } from './wire.ts';

export interface DiscordOptions {
  readonly token: string;
  /** Null: asked from Discord. */
  readonly applicationId: string | null;
  /** What discord.js calls `rest.api`, without the version; null for Discord's own. */
  readonly apiUrl: string | null;
  /** Whether to ask for the Message Content intent; where Discord disallows it, only mentions are answered. */
  readonly messageContent: boolean;
  /** `never`: answers in channels are replies. */
  readonly threads: 'always' | 'never';
  readonly log: Log;
  /** The gateway connection ended in a way only an operator can cure. */
  readonly onFatal?: (failure: Failure) => void;
}

/** Footnote on Discord. */
export interface DiscordApp {
  readonly platform: Platform;
  readonly researchMessages: ResearchMessages;
  /**
   * Connects the gateway and takes questions to the intake; only one process may. `sessions` is where the gateway session
   * and the kinds of channels survive a restart; `desk` answers `/jobs`.
   * @throws {Failure} with a remedy when there is no session within 30 s; at once, ever after, when there never can be one.
   */
  listen(intake: Intake, sessions: KeyValue, desk?: ResearchCommands): Promise<void>;
  /** Disconnects; the session stays resumable for the process that listens next. */
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
  const { token, apiUrl, log, threads } = options;
  const rest = createRest({ token, apiUrl, log });
  const { botId, applicationId } = await introduce(rest, options);
  const deps = { rest, log, threads, botId, denials: createDenials() };
  const sides = { platform: createPlatform(deps), researchMessages: createResearchMessages(deps) };
  return { ...sides, ...createListening(options, rest, botId, applicationId) };
}

function createListening(
  options: DiscordOptions,
  rest: DiscordRest,
  botId: string,
  applicationId: string,
): Omit<DiscordApp, 'platform' | 'researchMessages'> {
  const { token, log, messageContent } = options;
  let listening: { readonly gateway: Gateway; readonly receiver: Receiver } | null = null;
  let fatal: Failure | null = null;
  const onFatal = (failure: Failure): void => {
    fatal = failure;
    log.error({ code: failure.code }, failure.remedy ?? failure.message);
    options.onFatal?.(failure);
  };
  const unlisten = async (): Promise<void> => {
    const ended = listening;
    listening = null;
    await ended?.gateway.close(ended.receiver.stop);
  };
  return {
    async listen(intake, store, desk) {
      if (fatal) throw fatal;
      await unlisten();
      const receiver = createReceiver({ rest, intake, desk: desk ?? null, store, botId, applicationId, log });
      const { receive } = receiver;
      const gateway = createGateway({ rest, token, botId, messageContent, store, log, receive, onFatal });
      listening = { gateway, receiver };
      try {
        await gateway.connect();
      } catch (error) {
        await unlisten();
        throw error;
      }
    },
    unlisten,
    ready: () => rest.isAuthorised() && !fatal && (listening?.gateway.isConnected() ?? true),
    async stop() {
      await unlisten();
      rest.close();
    },
  };
}

async function introduce(
  rest: DiscordRest,
  { applicationId }: DiscordOptions,
): Promise<{ botId: string; applicationId: string }> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), START_MS);
  const { signal } = late;
  try {
    const [user, application] = await Promise.all([
      rest.get('/users/@me', { signal }),
      applicationId === null ? rest.get('/applications/@me', { signal }) : { id: applicationId },
    ]);
    const ids = { botId: asId(asObject(user)?.['id']), applicationId: asId(asObject(application)?.['id']) };
    if (!ids.botId || !ids.applicationId) throw new Failure('malformed', 'no ids in the answer');
    return { botId: ids.botId, applicationId: ids.applicationId };
  } catch (error) {
    rest.close();
    throw introductionFailure(error, late.signal.aborted);
  } finally {
    clearTimeout(timer);
  }
}

function introductionFailure(error: unknown, isLate: boolean): Failure {
  const { kind, status, message } =
    error instanceof Failure ? error : new Failure('malformed', 'unexpected error', { cause: error });
  if (kind === 'not-authorised') {
    const remedy =
      'DISCORD_TOKEN: Discord refuses it; copy a new one from the developer portal (Bot > Reset Token)';
    return new Failure(kind, message, { status, remedy });
  }
  const how = isLate ? 'does not answer within 4 s' : status ? `answers ${status}` : 'cannot be reached';
  const what = kind === 'malformed' || kind === 'rejected' ? 'does not answer like Discord' : how;
  const remedy = `Discord ${what}: check the network, and DISCORD_API_URL if it is set`;
  const isWrong = kind === 'malformed' || kind === 'rejected' || kind === 'gone';
  return new Failure(isWrong ? 'rejected' : 'unreachable', message, { status, remedy });
}
