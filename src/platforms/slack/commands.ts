/** Slash commands, message shortcuts and button presses → what the core takes. Pure, as `questions.ts`. */

import type { BlockButtonAction, MessageShortcut, SlashCommand } from '@slack/bolt';
import type { ParsedAsk, ParsedResearch } from '../../core/commands/options.ts';
import { parseCommand } from '../../core/commands/parse.ts';
import { idFrom } from '../../core/ids.ts';
import type { ButtonPress, JobsRequest } from '../../core/ports.ts';
import { BUTTON_ACTIONS, type ButtonAction, type Question } from '../../core/types.ts';
import { asText } from '../../core/untrusted.ts';
import { decodeText, isComplete, type Reader, recipientTeam, type SlackSelf } from './decode-text.ts';
import { quotesOf } from './read-message.ts';

/** The `callback_id` of the message shortcut; also in the manifests. */
export const ASK_ABOUT_CALLBACK = 'ask_about_message';

/** The `action_id`s of our buttons. */
export const OUR_ACTIONS = /^footnote:/;

/** The `action_id` of a button, as Slack sends it back when it is pressed. */
export function actionId(action: ButtonAction): string {
  return `footnote:${action}`;
}

/**
 * `/ask text` or `/research text`, read by `parse` → a question without a thread (its root is still to be posted), or a
 * sentence on a wrong option. Null when there is no text.
 */
export function questionFromCommand(
  command: SlashCommand,
  reader: Reader,
  now: number,
  parse: (text: string) => ParsedAsk | ParsedResearch,
): Question | { readonly problem: string } | null {
  const { self } = reader;
  const parsed = parse(decodeText(command.text, reader));
  if ('problem' in parsed) return parsed;
  if (parsed.text === '') return null;
  const { user_id: asker, user_name: name, channel_id: channel, trigger_id: trigger } = command;
  if (!isComplete([asker, channel, trigger])) return null;
  return {
    ...interactionQuestion(self, channel, { id: asker, name }, trigger, now),
    trigger: 'command',
    text: parsed.text,
    overrides: parsed.overrides,
    ...('research' in parsed && { research: parsed.research }),
    delivery: deliveryTo(asker, recipientTeam(self, command.team_id), command.response_url),
  };
}

/** `/jobs [list | [status | stop] R-…]` → what is asked for; null for any other text. */
export function jobsFromCommand(command: SlashCommand, reader: Reader): JobsRequest | null {
  const asked = parseCommand(`!jobs ${decodeText(command.text, reader)}`);
  if (asked?.type !== 'jobs') return null;
  const { action, job } = asked;
  const person = { id: command.user_id, name: command.user_name };
  return { platform: 'slack', workspace: reader.self.team, person, action, job };
}

/** "Ask about this" → a question in the message's thread that quotes it; null when the payload names no message. */
export function questionFromShortcut(
  { user, channel: { id: channel }, message, trigger_id, response_url }: MessageShortcut,
  reader: Reader,
  now: number,
): Question | null {
  const { self } = reader;
  const place = { platform: 'slack', workspace: self.team, channel } as const;
  const thread = asText(message.thread_ts) ?? message.ts;
  if (!isComplete([channel, user.id, thread, trigger_id])) return null;
  return {
    ...interactionQuestion(self, channel, user, trigger_id, now),
    thread: { ...place, thread },
    message: { ...place, message: message.ts },
    trigger: 'shortcut',
    text: '',
    quotes: quotesOf(message, authorName(message, reader), reader),
    delivery: deliveryTo(user.id, recipientTeam(self, user.team_id), response_url),
  };
}

/** A press of one of our buttons; null for any other button. */
export function pressFromAction(body: BlockButtonAction, self: SlackSelf): ButtonPress | null {
  const { user, trigger_id: press, response_url } = body;
  const [pressed] = body.actions;
  const action = BUTTON_ACTIONS.find((action) => actionId(action) === pressed?.action_id);
  if (!action || !pressed?.value || !isComplete([user.id, pressed.value, press])) return null;
  return {
    action,
    question: pressed.value,
    presser: { id: user.id, name: user.name ?? user.username },
    press,
    delivery: deliveryTo(user.id, recipientTeam(self, user.team_id), response_url),
  };
}

function interactionQuestion(
  self: SlackSelf,
  channel: string,
  { id, name }: Question['asker'],
  trigger: string,
  now: number,
) {
  return {
    id: idFrom('slack', self.team, trigger),
    platform: 'slack',
    workspace: self.team,
    channel,
    thread: null,
    message: null,
    repliesTo: null,
    asker: { id, name },
    quotes: [],
    attachments: [],
    title: null,
    addressesOthers: false,
    overrides: {},
    askedAt: now,
  } as const;
}

function deliveryTo(recipient: string, team: string, responseUrl: string): Record<string, string> {
  return { recipient, recipientTeam: team, ...(responseUrl && { responseUrl }) };
}

/** Bots carry a name in the payload; that of a person has to be known. */
function authorName(message: MessageShortcut['message'], { names }: Reader): string | null {
  const named = asText(message.username) ?? asText(message.bot_profile?.name);
  const id = asText(message.user);
  return named ?? (id && names.known(id));
}
