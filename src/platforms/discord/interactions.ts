import { idFrom } from '../../core/ids.ts';
import type { ButtonPress } from '../../core/ports.ts';
import {
  type AnswerOptions,
  type Person,
  PROFILE_NAMES,
  type Question,
  RECENCIES,
} from '../../core/types.ts';
import { kindOf } from './channels.ts';
import { DIRECT_WORKSPACE, quoteOf, threadOf } from './inbound.ts';
import { readCustomId } from './messages.ts';
import {
  asId,
  asNumber,
  asObject,
  asObjects,
  asText,
  type Json,
  readMessage,
  readUser,
  timeOfId,
} from './wire.ts';

/** What somebody did with a command or a button, and what is needed to respond to it. */
export type Interaction = { readonly id: string; readonly token: string } & (
  | { readonly type: 'ask'; readonly question: Question }
  | { readonly type: 'press'; readonly press: ButtonPress }
  /** A command or button of an older or newer version. */
  | { readonly type: 'unknown' }
);

const COMMAND = 2;
const COMPONENT = 3;
const MESSAGE_COMMAND = 3;

/** Reads INTERACTION_CREATE; null for what cannot be responded to (autocomplete and modals, of which we have none). */
export function readInteraction(value: unknown): Interaction | null {
  const raw = asObject(value);
  const id = asId(raw?.['id']);
  const token = asText(raw?.['token']);
  if (!raw || !id || !token) return null;
  const base = { id, token };
  if (raw['type'] === COMPONENT) {
    const press = readPress(raw, id, token);
    return press ? { ...base, type: 'press', press } : { ...base, type: 'unknown' };
  }
  if (raw['type'] !== COMMAND) return null;
  const question = readQuestion(raw, id, token);
  return question ? { ...base, type: 'ask', question } : { ...base, type: 'unknown' };
}

function readPress(raw: Json, id: string, token: string): ButtonPress | null {
  const carried = readCustomId(asText(asObject(raw['data'])?.['custom_id']) ?? '');
  const presser = readAsker(raw);
  if (!carried || !presser) return null;
  return { ...carried, presser, press: id, delivery: deliveryOf(raw, id, token) };
}

function readQuestion(raw: Json, id: string, token: string): Question | null {
  const data = asObject(raw['data']);
  const asker = readAsker(raw);
  const place = readPlace(raw);
  if (!data || !asker || !place) return null;
  const { workspace, channel, isOwnPlace } = place;
  const common = {
    id: idFrom('discord', id),
    platform: 'discord' as const,
    workspace,
    channel,
    repliesTo: null,
    asker,
    delivery: deliveryOf(raw, id, token),
    askedAt: timeOfId(id),
  };
  if (data['type'] === MESSAGE_COMMAND) {
    const target = readTarget(data);
    if (!target) return null;
    const kind = isOwnPlace ? 'thread' : 'text';
    return {
      ...common,
      trigger: 'shortcut',
      thread: threadOf(workspace, channel, target.id, kind),
      message: { platform: 'discord', workspace, channel, message: target.id },
      text: '',
      quote: quoteOf(target),
      attachments: [...target.attachments, ...(target.forwarded?.attachments ?? [])],
      overrides: {},
    };
  }
  const text = optionOf(data, 'question');
  if (data['name'] !== 'ask' || !text) return null;
  return {
    ...common,
    trigger: 'command',
    thread: isOwnPlace ? threadOf(workspace, channel, channel, 'thread') : null,
    message: null,
    text: text.trim(),
    quote: null,
    attachments: [],
    overrides: overridesOf(data),
  };
}

function readAsker(raw: Json): Person | null {
  const member = asObject(raw['member']);
  const user = readUser(member?.['user'] ?? raw['user'], member?.['nick']);
  return user && { id: user.id, name: user.name };
}

/** `isOwnPlace`: a thread or DM, where the answer is written below instead of in a thread of its own. */
function readPlace(raw: Json): { workspace: string; channel: string; isOwnPlace: boolean } | null {
  const shown = asObject(raw['channel']);
  const channel = asId(raw['channel_id']) ?? asId(shown?.['id']);
  if (!channel) return null;
  const workspace = asId(raw['guild_id']) ?? DIRECT_WORKSPACE;
  const kind = kindOf(asNumber(shown?.['type']) ?? 0);
  return { workspace, channel, isOwnPlace: workspace === DIRECT_WORKSPACE || kind !== 'text' };
}

function readTarget(data: Json): ReturnType<typeof readMessage> {
  const messages = asObject(asObject(data['resolved'])?.['messages']);
  const id = asId(data['target_id']);
  return id ? readMessage(messages?.[id]) : null;
}

function deliveryOf(raw: Json, id: string, token: string): Question['delivery'] {
  return { interaction: id, token, application: asId(raw['application_id']) ?? '' };
}

function optionOf(data: Json, name: string): string | null {
  return asText(asObjects(data['options']).find((option) => option['name'] === name)?.['value']);
}

/** The manifest offers nothing else; what a stale client sends beyond it is left out. */
function overridesOf(data: Json): AnswerOptions {
  const profile = PROFILE_NAMES.find((known) => known === optionOf(data, 'model'));
  const recency = RECENCIES.find((known) => known === optionOf(data, 'recency'));
  return { ...(profile && { profile }), ...(recency && { recency }) };
}
