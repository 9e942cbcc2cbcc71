import { App, LogLevel, SocketModeReceiver } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { onTestFinished } from 'vitest';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';
import type { SlackServerOptions } from '../servers/slack/types.ts';

/** A stand-in that ends with the test, and the real client on it: no retries, 429s come up at once. */
export async function startStandIn(options: SlackServerOptions = {}) {
  const slack = await startSlackServer(options);
  onTestFinished(() => slack.close());
  return { slack, client: clientOf(slack), channel: channelNamed(slack), person: personNamed(slack) };
}

export function clientOf(slack: SlackServer, token = slack.botToken, timeout = 5000): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout,
    logLevel: LogLevel.ERROR,
    logger: silent,
  });
}

/** chat.postMessage with arguments the SDK's types would refuse; also keeps the lint from taking it for the DOM's. */
export async function post(client: WebClient, args: Record<string, unknown>): Promise<string> {
  const { ts } = (await client.apiCall('chat.postMessage', args)) as { ts?: string };
  return ts ?? 'no ts';
}

/** A real Bolt app with as many Socket Mode receivers as asked for, all connected. */
export async function startBolt(slack: SlackServer, receivers = 1): Promise<App> {
  const created = Array.from(
    { length: receivers },
    () =>
      new SocketModeReceiver({
        appToken: slack.appToken,
        logger: silent,
        installerOptions: { clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } } },
      }),
  );
  const [first] = created;
  if (first === undefined) throw new Error('at least one receiver');
  const app = new App({
    token: slack.botToken,
    receiver: first,
    logger: silent,
    deferInitialization: true,
    convoStore: false,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
  });
  await app.init();
  for (const receiver of created) {
    receiver.init(app);
    await receiver.start();
  }
  onTestFinished(async () => {
    await Promise.all(created.map((receiver) => receiver.client.disconnect()));
  });
  return app;
}

/** The error code a call ends with: Slack's own, or `http_<status>`, `ratelimited`, `request` by the SDK's error class. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    const { data, statusCode, retryAfter, code } = error as {
      data?: { error: string };
      statusCode?: number;
      retryAfter?: number;
      code?: string;
    };
    if (data !== undefined) return data.error;
    if (retryAfter !== undefined) return `ratelimited ${retryAfter}`;
    return statusCode === undefined ? String(code) : `http_${statusCode}`;
  }
}

function channelNamed(slack: SlackServer) {
  return (name: string): string => slack.channels.find((channel) => channel.name === name)!.id;
}

function personNamed(slack: SlackServer) {
  return (name: string): string => slack.people.find((person) => person.name === name)!.id;
}

const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};
