import { idFrom } from '../../core/ids.ts';
import type { ButtonPress, JobsRequest } from '../../core/ports.ts';
import type { Person, Question } from '../../core/types.ts';
import { kindOf } from './channels.ts';
import { optionOf, overridesOf, sitesOf, subcommandOf, typedIn, wishOf } from './command-options.ts';
import { DIRECT_WORKSPACE, quoteOf, threadOf } from './inbound.ts';
import { readCustomId } from './messages.ts';
import { asId, asNumber, asObject, asText, type Json, readMessage, readUser, timeOfId } from './wire.ts';

/** What somebody did with a command or a button, and what is needed to respond to it. */
export type Interaction = { readonly id: string; readonly token: string } & (
  | { readonly type: 'ask'; readonly question: Question }
  | { readonly type: 'press'; readonly press: ButtonPress }
  | { readonly type: 'jobs'; readonly request: JobsRequest }
  /** Somebody is typing into an option that is completed with their research jobs. */
  | { readonly type: 'typing'; readonly who: Omit<JobsRequest, 'action' | 'job'>; readonly typed: string }
  /** A command with an option that cannot be used; `problem` says why. */
  | { readonly type: 'wrong'; readonly problem: string }
  /** A command or button of an older or newer version. */
  | { readonly type: 'unknown' }
);

const COMMAND = 2;
const COMPONENT = 3;
const AUTOCOMPLETE = 4;
const MESSAGE_COMMAND = 3;

/** Reads INTERACTION_CREATE; null for what cannot be responded to (modals, of which we have none). */
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
  const data = asObject(raw['data']);
  if (raw['type'] === AUTOCOMPLETE) {
    const who = readWho(raw);
    return who && data && { ...base, type: 'typing', who, typed: typedIn(subcommandOf(data)?.data ?? data) };
  }
  if (raw['type'] !== COMMAND) return null;
  if (data?.['name'] === 'jobs') return { ...base, ...readJobs(raw, data) };
  const sites = data?.['name'] === 'research' ? sitesOf(data) : null;
  if (sites && 'problem' in sites) return { ...base, type: 'wrong', problem: sites.problem };
  const question = readQuestion(raw, id, token);
  return question ? { ...base, type: 'ask', question } : { ...base, type: 'unknown' };
}

const JOB_ACTIONS = ['list', 'status', 'stop'] as const;

function readJobs(raw: Json, data: Json): { type: 'jobs'; request: JobsRequest } | { type: 'unknown' } {
  const who = readWho(raw);
  const used = subcommandOf(data);
  const action = JOB_ACTIONS.find((known) => known === used?.name);
  if (!who || !used || !action) return { type: 'unknown' };
  const job = action === 'list' ? null : (optionOf(used.data, 'id')?.trim() ?? null);
  return { type: 'jobs', request: { ...who, action, job } };
}

function readWho(raw: Json): Omit<JobsRequest, 'action' | 'job'> | null {
  const person = readAsker(raw);
  const place = readPlace(raw);
  return person && place && { platform: 'discord', workspace: place.workspace, person };
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
  const isResearch = data['name'] === 'research';
  if ((data['name'] !== 'ask' && !isResearch) || !text) return null;
  return {
    ...common,
    trigger: 'command',
    thread: isOwnPlace ? threadOf(workspace, channel, channel, 'thread') : null,
    message: null,
    text: text.trim(),
    quote: null,
    attachments: [],
    ...(isResearch ? researchIn(data) : { overrides: overridesOf(data) }),
  };
}

function researchIn(data: Json): Pick<Question, 'overrides' | 'research'> {
  const { recency } = overridesOf(data);
  const sites = sitesOf(data);
  const domains = 'domains' in sites ? sites.domains : [];
  const overrides = { ...(recency && { recency }), ...(domains.length > 0 && { domains }) };
  return { overrides, research: wishOf(data) };
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
