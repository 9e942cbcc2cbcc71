import { z } from 'zod';
import { ASK_ABOUT_CALLBACK } from '../../src/platforms/slack/commands.ts';
import type { DiscordServer } from '../servers/discord/discord-server.ts';
import { COURSE_FAULTS } from '../servers/perplexity/job-faults.ts';
import type { PerplexityServer } from '../servers/perplexity/server.ts';
import type { SlackServer } from '../servers/slack/server.ts';
import { COMMANDS, discordCall } from './commands.ts';
import type { Supervisor } from './supervisor.ts';

const id = z.string().min(1).max(100);
const place = { user: id, channel: id, thread: id.nullable() };
const platform = z.enum(['slack', 'discord']);

const SUBMIT_FAULTS = ['400', '402', '500', 'lost'] as const;
const LOOK_FAULTS = ['look-404', 'look-500'] as const;
/** So many looks in a row meet a fault. */
const LOOKS_BROKEN = 3;

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
  z.object({
    do: z.literal('command'),
    platform,
    ...place,
    command: z.enum(COMMANDS),
    text: z.string().trim().max(4_000),
  }),
  z.object({ do: z.literal('about'), platform, ...place, message: id }),
  z.object({
    do: z.literal('press'),
    platform,
    ...place,
    message: id,
    action: z.string().max(255),
    value: z.string().max(2_000).nullable(),
  }),
  /** Slack's own Stop, which the app itself does not draw. */
  z.object({ do: z.literal('stop'), user: id, channel: id, thread: id }),
  z.object({
    do: z.literal('break'),
    what: z.enum([
      'slack-sockets',
      'slack-limit',
      'discord-gateway',
      'discord-limit',
      'kill',
      'kill-and-hold',
      'start',
      'restart',
    ]),
  }),
  z.object({
    do: z.literal('break-answer'),
    fault: z.enum(['429', '500', 'cut', 'clean-cut', 'silence', 'malformed', '402', 'length']),
  }),
  z.object({
    do: z.literal('break-research'),
    fault: z.enum([...COURSE_FAULTS, ...SUBMIT_FAULTS, ...LOOK_FAULTS]),
  }),
  /** How many times faster than upstream the research jobs to come are. */
  z.object({ do: z.literal('research-speed'), speed: z.number().min(1).max(10_000) }),
  /** All that are under way. */
  z.object({ do: z.literal('finish-research') }),
]);

type Action = z.infer<typeof action>;

export interface Stage {
  readonly slack: SlackServer;
  readonly discord: DiscordServer;
  /** Null when the real API answers. */
  readonly perplexity: PerplexityServer | null;
  readonly supervisor: Supervisor;
  /** To be called when something else than a conversation changed. */
  readonly changed: () => void;
}

/**
 * Does it, and returns the id of the message it made, if any.
 * @throws {Error} with a sentence for the person when it cannot be done.
 */
export function perform(stage: Stage, what: Action): string | null {
  switch (what.do) {
    case 'say':
      return what.platform === 'slack' ? saySlack(stage.slack, what) : sayDiscord(stage.discord, what);
    case 'command':
      command(stage, what);
      break;
    case 'about':
      askAbout(stage, what);
      break;
    case 'press':
      press(stage, what);
      break;
    case 'stop':
      stage.slack.stopSession({ user: what.user, channel: what.channel, threadTs: what.thread });
      break;
    case 'break':
      breakIt(stage, what.what);
      break;
    case 'break-answer':
      standIn(stage).fault(what.fault);
      break;
    case 'break-research':
      breakResearch(standIn(stage), what.fault);
      break;
    case 'research-speed':
      standIn(stage).research.setPace({ speed: what.speed });
      stage.changed();
      break;
    case 'finish-research':
      standIn(stage).research.finish();
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

function command({ slack, discord }: Stage, { platform, thread, ...said }: Doing<'command'>): void {
  const { user, channel, command: name, text } = said;
  if (platform === 'discord') {
    discord.command({ user, channel: thread ?? channel, ...discordCall(name, text) });
    return;
  }
  if (thread !== null) throw new Error(`Slack has no slash commands in threads. Write: ${IN_THREADS[name]}`);
  slack.command({ user, channel, command: `/${name}`, text });
}

const IN_THREADS: Readonly<Record<Doing<'command'>['command'], string>> = {
  ask: '@footnote and your question.',
  research: '@footnote research: and your question.',
  jobs: '@footnote !jobs.',
};

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
    case 'kill-and-hold':
      return supervisor.kill(true);
    case 'start':
      return supervisor.start();
    case 'restart':
      return supervisor.restart();
  }
}

/** @throws {Error} when there is none */
function standIn({ perplexity }: Stage): PerplexityServer {
  if (!perplexity) throw new Error('The real Perplexity API is in use: it cannot be broken from here.');
  return perplexity;
}

function breakResearch(perplexity: PerplexityServer, fault: Doing<'break-research'>['fault']): void {
  const course = COURSE_FAULTS.find((known) => known === fault);
  const submit = SUBMIT_FAULTS.find((known) => known === fault);
  const look = LOOK_FAULTS.find((known) => known === fault);
  if (course) perplexity.research.spoilNext(course);
  else if (submit) perplexity.fault(submit, 1, 'submit');
  else if (look) perplexity.fault(look === 'look-404' ? '404' : '500', LOOKS_BROKEN, 'look');
}
