import { z } from 'zod';
import { ASK_ABOUT_CALLBACK } from '../../src/platforms/slack/interactions.ts';
import type { DiscordServer } from '../servers/discord/discord-server.ts';
import type { PerplexityServer } from '../servers/perplexity/server.ts';
import type { SlackServer } from '../servers/slack/server.ts';
import type { Supervisor } from './supervisor.ts';

const id = z.string().min(1).max(100);
const place = { user: id, channel: id, thread: id.nullable() };
const platform = z.enum(['slack', 'discord']);

/** Everything one can do on the page. */
export const action = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('say'),
    platform,
    ...place,
    text: z.string().trim().min(1, 'write something first').max(4_000),
    /** Puts `@footnote` in front. */
    mention: z.boolean(),
    repliesTo: id.nullable(),
  }),
  z.object({ do: z.literal('ask'), platform, ...place, text: z.string().trim().max(4_000) }),
  z.object({ do: z.literal('about'), platform, ...place, message: id }),
  z.object({
    do: z.literal('press'),
    platform,
    ...place,
    message: id,
    action: z.string().max(255),
    value: z.string().max(2_000).nullable(),
  }),
  z.object({
    do: z.literal('break'),
    what: z.enum(['slack-sockets', 'slack-limit', 'discord-gateway', 'discord-limit', 'kill', 'restart']),
  }),
  z.object({
    do: z.literal('break-answer'),
    fault: z.enum(['429', '500', 'cut', 'clean-cut', 'silence', 'malformed', '402', 'length']),
  }),
]);

type Action = z.infer<typeof action>;

export interface Stage {
  readonly slack: SlackServer;
  readonly discord: DiscordServer;
  /** Null when the real API answers. */
  readonly perplexity: PerplexityServer | null;
  readonly supervisor: Supervisor;
}

/**
 * Does it, and returns the id of the message it made, if any.
 * @throws {Error} with a sentence for the person when it cannot be done.
 */
export function perform(stage: Stage, what: Action): string | null {
  switch (what.do) {
    case 'say':
      return what.platform === 'slack' ? saySlack(stage.slack, what) : sayDiscord(stage.discord, what);
    case 'ask':
      ask(stage, what);
      break;
    case 'about':
      askAbout(stage, what);
      break;
    case 'press':
      press(stage, what);
      break;
    case 'break':
      breakIt(stage, what.what);
      break;
    case 'break-answer':
      breakAnswer(stage, what.fault);
  }
  return null;
}

type Doing<Name extends Action['do']> = Extract<Action, { do: Name }>;

function saySlack(slack: SlackServer, { user, channel, thread, text, mention }: Doing<'say'>): string {
  const said = mention ? `<@${slack.botUser}> ${text}` : text;
  return slack.say({ user, channel, text: said, ...(thread !== null && { threadTs: thread }) });
}

function sayDiscord(
  discord: DiscordServer,
  { user, channel, thread, text, mention, repliesTo }: Doing<'say'>,
): string {
  const content = mention ? `<@${discord.botUser.id}> ${text}` : text;
  return discord.say({
    user,
    channel: thread ?? channel,
    content,
    ...(repliesTo !== null && { replyTo: repliesTo }),
  });
}

function ask({ slack, discord }: Stage, { platform, user, channel, thread, text }: Doing<'ask'>): void {
  if (platform === 'discord') {
    discord.command({ user, channel: thread ?? channel, name: 'ask', options: { question: text } });
    return;
  }
  if (thread !== null) throw new Error('Slack has no slash commands in threads: mention @footnote instead.');
  slack.command({ user, channel, command: '/ask', text });
}

function askAbout({ slack, discord }: Stage, { platform, ...about }: Doing<'about'>): void {
  const { user, channel, thread, message } = about;
  if (platform === 'slack') slack.shortcut({ user, channel, ts: message, callbackId: ASK_ABOUT_CALLBACK });
  else discord.messageCommand({ user, channel: thread ?? channel, message, name: 'Ask about this' });
}

function press({ slack, discord }: Stage, { platform, ...button }: Doing<'press'>): void {
  const { user, channel, thread, message, value } = button;
  const actionId = button.action;
  if (platform === 'discord')
    discord.press({ user, channel: thread ?? channel, message, customId: actionId });
  else slack.press({ user, channel, ts: message, actionId, ...(value !== null && { value }) });
}

function breakIt({ slack, discord, supervisor }: Stage, what: Doing<'break'>['what']): void {
  switch (what) {
    case 'slack-sockets':
      return slack.dropSockets();
    case 'slack-limit':
      return slack.fault('*', { status: 429, retryAfter: 5 });
    case 'discord-gateway':
      return discord.gateway.close(4000);
    case 'discord-limit':
      return discord.fault('*', { retryAfter: 5 });
    case 'kill':
      return supervisor.kill();
    case 'restart':
      return supervisor.restart();
  }
}

function breakAnswer({ perplexity }: Stage, fault: Doing<'break-answer'>['fault']): void {
  if (!perplexity) throw new Error('The real Perplexity API is in use: its answers cannot be broken.');
  perplexity.fault(fault);
}
