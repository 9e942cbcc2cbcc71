import { DiscordError } from './errors.ts';
import type { UploadedFile } from './recording.ts';
import { isSnowflake } from './snowflakes.ts';
import type { ChannelState, MessageState } from './state.ts';
import { findChannel, findMessage, may, type World } from './world.ts';

/** One request, parsed, as the routes see it. */
export interface Request {
  readonly world: World;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, null without a body. */
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
}

/** `body` undefined is an answer without a body and without a content type: discord.js parses whatever claims to be JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export interface Route {
  readonly method: string;
  readonly template: string;
  /** True for the calls that a token in the path authorises. */
  readonly isOpen?: boolean;
  /** @throws {DiscordError} */
  handle(request: Request): Answer;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The route a path belongs to, or null. `:names` stand for one segment each. */
export function matchRoute(routes: readonly Route[], method: string, path: string): Match | null {
  const segments = path.split('/').map(decodeURIComponent);
  for (const route of routes) {
    const template = route.template.split('/');
    if (route.method !== method || template.length !== segments.length) continue;
    const isMatch = template.every((part, at) => part.startsWith(':') || part === segments[at]);
    if (!isMatch) continue;
    const params = template.flatMap((part, at) =>
      part.startsWith(':') ? [[part.slice(1), segments[at] ?? ''] as const] : [],
    );
    return { route, params: Object.fromEntries(params) };
  }
  return null;
}

/** The channel of a request, which the bot can see. @throws {DiscordError} 10003, 50001, 50035 */
export function channelOf({ world, params }: Request): ChannelState {
  const channel = findChannel(world, snowflake(params['channel']));
  if (!channel) throw new DiscordError(10003);
  if (!may(world, channel, 'VIEW_CHANNEL')) throw new DiscordError(50001);
  return channel;
}

/** The message of a request; somebody's ephemeral message does not exist here. @throws {DiscordError} 10008, 50035 */
export function messageOf({ world, params }: Request, channel: ChannelState): MessageState {
  const message = findMessage(world, channel.id, snowflake(params['message']));
  if (!message || message.ephemeralTo !== null) throw new DiscordError(10008);
  return message;
}

/** @throws {DiscordError} 50035 when it does not look like an id */
export function snowflake(value: string | undefined): string {
  if (value === undefined || !isSnowflake(value)) {
    const error = { code: 'NUMBER_TYPE_COERCE', message: `Value "${String(value)}" is not snowflake.` };
    throw new DiscordError(50035, { _errors: [error] });
  }
  return value;
}
