/**
 * Events from Slack → Questions. Pure: plain payloads in, plain data out. The workspace is always the one the app is installed
 * in. An envelope's `context_team_id` is absent from `app_mention`, and in a channel shared through Slack Connect it is the
 * other workspace: with it, the two events of one mention would be two questions.
 */
import { idFrom } from '../../core/ids.ts';
import type { Attachment, Person, Question, Quote, ThreadRef, Trigger } from '../../core/types.ts';
import { decodeText, mentionsUs, questionText, recipientTeam, type SlackSelf } from './incoming-text.ts';
import { asNumber, asRecord, asRecords, asText } from './payload.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Edits older than this do not start an answer; it is as long as an answered id is remembered. */
const OLDEST_EDIT_MS = 24 * 60 * 60 * 1000;
/** Slackbot, and Slack's own notices in our direct messages: these carry neither a subtype nor a `bot_id`. */
const NOT_PEOPLE: ReadonlySet<string> = new Set(['USLACKBOT', 'USLACK']);
const SPOKEN_SUBTYPES: ReadonlySet<unknown> = new Set([undefined, 'file_share', 'thread_broadcast']);

/**
 * The question in an Events API payload (`event_callback`): a mention, a direct message, a message in a thread, or an
 * edit that newly mentions us. Null for everything else: our own and other bots' messages, joins, deletions, channel talk.
 * A mention in a channel comes twice (`message` and `app_mention`); both give the same id.
 */
export function questionFromEvent(body: unknown, self: SlackSelf): Question | null {
  const envelope = asRecord(body);
  const event = asRecord(envelope?.event);
  if (!envelope || !event) return null;
  if (event.type === 'message' && event.subtype === 'message_changed')
    return editedQuestion(envelope, event, self);
  if (event.type !== 'message' && event.type !== 'app_mention') return null;
  if (!SPOKEN_SUBTYPES.has(event.subtype)) return null;
  if (event.edited !== undefined && isOld(envelope, event)) return null;
  const trigger = triggerOf(event, self);
  return trigger && questionOf(event, asText(event.channel), trigger, self);
}

/** The id of the question whose message somebody deleted; null for every other event and for our own messages. */
export function deletedQuestion(body: unknown, self: SlackSelf): string | null {
  const event = asRecord(asRecord(body)?.event);
  const message = asRecord(event?.message);
  // Of a message that a thread hangs on, a tombstone is left.
  const isTombstone = event?.subtype === 'message_changed' && message?.subtype === 'tombstone';
  const ts = asText(isTombstone ? message.ts : event?.deleted_ts);
  const channel = asText(event?.channel);
  const before = asRecord(event?.previous_message);
  if (event?.type !== 'message' || !(isTombstone || event.subtype === 'message_deleted')) return null;
  if (ts === null || channel === null || before?.bot_id || before?.user === self.user) return null;
  return idFrom('slack', self.team, channel, ts);
}

/** Who used Slack's own Stop, and in which thread; null for every other event. */
export function stopFromEvent(body: unknown, self: SlackSelf): { thread: ThreadRef; by: Person } | null {
  const event = asRecord(asRecord(body)?.event);
  const [channel, thread, user] = [asText(event?.channel), asText(event?.thread_ts), asText(event?.user)];
  if (event?.type !== 'agent_session_stopped' || !channel || !thread || !user) return null;
  return {
    thread: { platform: 'slack', workspace: self.team, channel, thread },
    by: { id: user, name: null },
  };
}

function editedQuestion(envelope: Payload, event: Payload, self: SlackSelf): Question | null {
  const message = asRecord(event.message);
  if (!message || message.edited === undefined || !SPOKEN_SUBTYPES.has(message.subtype)) return null;
  const before = asText(asRecord(event.previous_message)?.text) ?? '';
  const isNewMention = mentionsUs(asText(message.text) ?? '', self) && !mentionsUs(before, self);
  if (!isNewMention || event.channel_type === 'im' || isOld(envelope, message)) return null;
  return questionOf(message, asText(event.channel), 'mention', self);
}

function triggerOf(event: Payload, self: SlackSelf): Trigger | null {
  if (event.channel_type === 'im') return 'dm';
  if (event.type === 'app_mention' || mentionsUs(asText(event.text) ?? '', self)) return 'mention';
  const thread = asText(event.thread_ts);
  return thread !== null && thread !== event.ts ? 'thread' : null;
}

function questionOf(
  message: Payload,
  channel: string | null,
  trigger: Trigger,
  self: SlackSelf,
): Question | null {
  const ts = asText(message.ts);
  const asker = asText(message.user);
  const isPerson = asker !== null && asker !== self.user && !NOT_PEOPLE.has(asker) && !message.bot_id;
  if (!isPerson || ts === null || channel === null) return null;
  const workspace = self.team;
  const place = { platform: 'slack', workspace, channel } as const;
  return {
    id: idFrom('slack', workspace, channel, ts),
    ...place,
    thread: { ...place, thread: asText(message.thread_ts) ?? ts } satisfies ThreadRef,
    message: { ...place, message: ts },
    repliesTo: null,
    trigger,
    asker: { id: asker, name: null },
    text: questionText(asText(message.text) ?? '', self),
    quote: sharedMessage(message, self),
    attachments: attachmentsOf(message),
    overrides: {},
    delivery: {
      recipient: asker,
      recipientTeam: recipientTeam(self, message.user_team, message.source_team, message.team),
    },
    askedAt: Math.round(Number(ts) * 1000),
  };
}

function attachmentsOf(message: Payload): readonly Attachment[] {
  return asRecords(message.files).map((file) => ({
    name: asText(file.name) ?? asText(file.title) ?? 'a file',
    type: asText(file.mimetype),
    bytes: asNumber(file.size),
  }));
}

/** A message that somebody forwarded along with the question. */
function sharedMessage(message: Payload, self: SlackSelf): Quote | null {
  const shared = asRecords(message.attachments).find((entry) => entry.is_share === true);
  const text = asText(shared?.text);
  return shared && text ? { author: asText(shared.author_name), text: decodeText(text, self) } : null;
}

function isOld(envelope: Payload, message: Payload): boolean {
  const now = asNumber(envelope.event_time) ?? 0;
  return now * 1000 - Number(asText(message.ts) ?? 0) * 1000 > OLDEST_EDIT_MS;
}
