/** Slash commands, message shortcuts and button presses → what the core takes. Pure, as `inbound.ts`. */

import type { ParsedAsk, ParsedResearch } from '../../core/commands/options.ts';
import { parseCommand } from '../../core/commands/parse.ts';
import { idFrom } from '../../core/ids.ts';
import type { ButtonPress, JobsRequest } from '../../core/ports.ts';
import { type AnswerOptions, BUTTON_ACTIONS, type ButtonAction, type Question } from '../../core/types.ts';
import { decodeText, recipientTeam, type SlackSelf } from './incoming-text.ts';
import { asRecord, asText } from './payload.ts';

/** The `callback_id` of the message shortcut; also in the manifests. */
export const ASK_ABOUT_CALLBACK = 'ask_about_message';

/** The `action_id` of a button, as Slack sends it back when it is pressed. */
export function actionId(action: ButtonAction): string {
  return `footnote:${action}`;
}

/**
 * `/ask text` or `/research text`, read by `parse` → a question without a thread (its root is still to be posted), or a
 * sentence on a wrong option. Null when there is no text, or the payload is not a command.
 */
export function questionFromCommand(
  body: unknown,
  self: SlackSelf,
  now: number,
  parse: (text: string) => ParsedAsk | ParsedResearch,
): Question | { readonly problem: string } | null {
  const command = asRecord(body);
  const channel = asText(command?.channel_id);
  const asker = asText(command?.user_id);
  const trigger = asText(command?.trigger_id);
  if (!command || !channel || !asker || !trigger) return null;
  const parsed = parse(decodeText(asText(command.text) ?? '', self));
  if ('problem' in parsed) return parsed;
  if (parsed.text === '') return null;
  return {
    ...interactionQuestion(self, channel, { id: asker, name: asText(command.user_name) }, trigger, now),
    trigger: 'command',
    text: parsed.text,
    overrides: parsed.overrides,
    ...('research' in parsed && { research: parsed.research }),
    delivery: deliveryOf(asker, recipientTeam(self, command.team_id), asText(command.response_url)),
  };
}

/** `/jobs [list | [status | stop] R-…]` → what is asked for; null for any other text or payload. */
export function jobsFromCommand(body: unknown, self: SlackSelf): JobsRequest | null {
  const command = asRecord(body);
  const person = asText(command?.user_id);
  const asked = parseCommand(`!jobs ${decodeText(asText(command?.text) ?? '', self)}`);
  if (!command || !person || asked?.type !== 'jobs') return null;
  const { action, job } = asked;
  const asker = { id: person, name: asText(command.user_name) };
  return { platform: 'slack', workspace: self.team, person: asker, action, job };
}

/** "Ask about this" → a question in the message's thread that quotes it; null for other shortcuts. */
export function questionFromShortcut(body: unknown, self: SlackSelf, now: number): Question | null {
  const shortcut = asRecord(body);
  const message = asRecord(shortcut?.message);
  const user = asRecord(shortcut?.user);
  const channel = asText(asRecord(shortcut?.channel)?.id);
  const asker = asText(user?.id);
  const trigger = asText(shortcut?.trigger_id);
  const ts = asText(message?.ts) ?? asText(shortcut?.message_ts);
  if (!shortcut || !message || !channel || !asker || !trigger || !ts) return null;
  if (shortcut.callback_id !== ASK_ABOUT_CALLBACK) return null;
  const place = { platform: 'slack', workspace: self.team, channel } as const;
  return {
    ...interactionQuestion(self, channel, { id: asker, name: asText(user?.name) }, trigger, now),
    thread: { ...place, thread: asText(message.thread_ts) ?? ts },
    message: { ...place, message: ts },
    trigger: 'shortcut',
    text: '',
    quote: { author: authorName(message), text: decodeText(asText(message.text) ?? '', self) },
    delivery: deliveryOf(asker, recipientTeam(self, user?.team_id), asText(shortcut.response_url)),
  };
}

/** A press of one of our buttons; null for any other action. */
export function pressFromAction(body: unknown, self: SlackSelf): ButtonPress | null {
  const payload = asRecord(body);
  const action = asRecord(Array.isArray(payload?.actions) ? payload.actions[0] : null);
  const user = asRecord(payload?.user);
  const presser = asText(user?.id);
  const question = asText(action?.value);
  const press = asText(payload?.trigger_id);
  const kind = BUTTON_ACTIONS.find((kind) => actionId(kind) === action?.action_id);
  if (!payload || !presser || !question || !press || !kind) return null;
  return {
    action: kind,
    question,
    presser: { id: presser, name: asText(user?.name) ?? asText(user?.username) },
    press,
    delivery: deliveryOf(presser, recipientTeam(self, user?.team_id), asText(payload.response_url)),
  };
}

function interactionQuestion(
  self: SlackSelf,
  channel: string,
  asker: Question['asker'],
  trigger: string,
  now: number,
) {
  const none: AnswerOptions = {};
  return {
    id: idFrom('slack', self.team, trigger),
    platform: 'slack',
    workspace: self.team,
    channel,
    thread: null,
    message: null,
    repliesTo: null,
    asker,
    quote: null,
    attachments: [],
    overrides: none,
    askedAt: now,
  } as const;
}

function deliveryOf(recipient: string, team: string, responseUrl: string | null): Record<string, string> {
  return { recipient, recipientTeam: team, ...(responseUrl ? { responseUrl } : {}) };
}

/** Bots carry a name in the payload; of a person there is only an id, which is no name. */
function authorName(message: Readonly<Record<string, unknown>>): string | null {
  return asText(message.username) ?? asText(asRecord(message.bot_profile)?.name);
}
