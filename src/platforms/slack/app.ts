import { App } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { untilAborted } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Intake, Log, ResearchCommands } from '../../core/ports.ts';
import type { ResearchPlatform } from '../../core/research/ports.ts';
import { clientOptions, createSdkLogger, SlackClient } from './client.ts';
import type { SlackSelf } from './decode-text.ts';
import { toFailure } from './errors.ts';
import { addListeners, type Installation, type SlackCommands } from './events.ts';
import { createFileFetcher } from './fetch-file.ts';
import { createSlackPlatform } from './platform.ts';
import { SocketReceiver } from './receiver.ts';
import { createWorkspace, type SlackWorkspace } from './workspace.ts';

/** Start-up must end, well or badly, within 5 s. */
const START_TIMEOUT_MS = 4_500;
/** `listen` waits this long for the first socket; after that the service starts anyway and keeps trying. */
const LISTEN_WAIT_MS = 10_000;

export interface SlackOptions {
  readonly botToken: string;
  readonly appToken: string;
  /** Ends with `/api/`. */
  readonly apiUrl: string;
  readonly commands: SlackCommands;
  readonly log: Log;
}

/** Slack, connected: the outbound port at once, inbound traffic after `listen`. */
export interface SlackApp {
  readonly platform: ResearchPlatform;
  /** Opens the sockets and hands what comes to the intake, and what is asked about research jobs to their commands. */
  listen(intake: Intake, researchCommands: ResearchCommands): Promise<void>;
  /** True while at least one socket is open. */
  ready(): boolean;
  /** Takes nothing new, lets what is being accepted be acknowledged, closes the sockets; idempotent, within 5 s. */
  stop(): Promise<void>;
}

/**
 * Checks both tokens against Slack.
 * @throws {Failure} `not-authorised` or `unreachable` within 5 s, with a one-line remedy that names the variable.
 */
export async function openSlack(options: SlackOptions): Promise<SlackApp> {
  const { botToken, appToken, apiUrl, commands, log } = options;
  const [self] = await Promise.all([identify(options), checkAppToken(options)]);
  const receiver = new SocketReceiver({ appToken, apiUrl, log });
  const client = new SlackClient(botToken, apiUrl, log);
  const workspace = createWorkspace({ client, self, log });
  let stopped: Promise<void> | null = null;
  return {
    platform: createSlackPlatform(workspace, createFileFetcher(botToken, apiUrl)),
    async listen(intake, researchCommands) {
      const app = createApp(options, workspace, receiver);
      addListeners(app, { commands, intake, researchCommands, log });
      await Promise.race([app.start(), untilAborted(AbortSignal.timeout(LISTEN_WAIT_MS))]);
      // Without a socket the receiver has logged why.
      if (receiver.openSockets() > 0) log.info({ team: self.team, bot: self.user }, 'listening to Slack');
    },
    ready: () => receiver.openSockets() > 0 && client.isTokenAccepted(),
    stop() {
      stopped ??= receiver.stop();
      return stopped;
    },
  };
}

/**
 * `authorize` answers with the one installation there is. To serve several workspaces it would look up the one that
 * `source.teamId` names; all that is stored is keyed by the workspace in `reader.self`.
 */
function createApp(
  { botToken, apiUrl, log }: SlackOptions,
  { self, names }: SlackWorkspace,
  receiver: SocketReceiver,
) {
  const { bot: botId, user: botUserId, team: teamId } = self;
  const installation = { botToken, botId, botUserId, teamId, reader: { self, names } };
  return new App<Installation>({
    receiver,
    authorize: async () => installation,
    convoStore: false,
    tokenVerificationEnabled: false,
    attachFunctionToken: false,
    clientOptions: clientOptions(apiUrl, log),
    logger: createSdkLogger(log),
  });
}

async function identify(options: SlackOptions): Promise<SlackSelf> {
  const { botToken } = options;
  if (botToken.startsWith('xapp-'))
    throw wrongKind('SLACK_BOT_TOKEN', 'an app-level token (xapp-…)', 'xoxb-…');
  if (botToken.startsWith('xoxp-')) throw wrongKind('SLACK_BOT_TOKEN', 'a user token (xoxp-…)', 'xoxb-…');
  const result = await checkToken('SLACK_BOT_TOKEN', botToken, options, ({ auth }) => auth.test());
  const { team_id: team, user_id: user, bot_id: bot } = result;
  if (!team || !user || !bot) throw wrongKind('SLACK_BOT_TOKEN', 'not a bot token', 'xoxb-…');
  return { team, user, bot, name: result.user ?? 'footnote' };
}

/** Asks for a socket address that nobody will use: the only check there is for an app-level token. */
async function checkAppToken(options: SlackOptions): Promise<void> {
  const { appToken } = options;
  if (/^xox[a-z]-/.test(appToken)) throw wrongKind('SLACK_APP_TOKEN', 'a bot or user token', 'xapp-…');
  await checkToken('SLACK_APP_TOKEN', appToken, options, ({ apps }) => apps.connections.open({}));
}

async function checkToken<T>(
  variable: string,
  token: string,
  { apiUrl, log }: SlackOptions,
  call: (client: WebClient) => Promise<T>,
): Promise<T> {
  try {
    return await call(new WebClient(token, clientOptions(apiUrl, log, START_TIMEOUT_MS)));
  } catch (thrown) {
    const cause = toFailure(thrown, 'first call');
    const { code, message } = cause;
    const isRefused = cause.kind === 'not-authorised';
    const remedy = isRefused
      ? `${variable} is refused by Slack (${code ?? message}): copy it again from the app's settings.`
      : `Slack cannot be reached (${code ?? message}): check SLACK_API_URL and the network.`;
    throw new Failure(isRefused ? 'not-authorised' : 'unreachable', remedy, { code, remedy, cause });
  }
}

function wrongKind(variable: string, what: string, wanted: string): Failure {
  const remedy = `${variable} is ${what}; it must be ${wanted}.`;
  return new Failure('not-authorised', remedy, { remedy });
}
