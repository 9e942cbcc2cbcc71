/**
 * Events from Slack → Questions: what counts as a question, and who asks it. Pure: Bolt's events in, plain data out.
 *
 * The workspace is always the one the app is installed in. An envelope's `context_team_id` is absent from `app_mention`, and in
 * a channel shared through Slack Connect it is the other workspace: with it, the two events of one mention would be two
 * questions.
 */
import type { types } from '@slack/bolt';
import { idFrom } from '../../core/ids.ts';
import type { Person, Question, ThreadRef, Trigger } from '../../core/types.ts';
import {
  addressesOthers,
  isComplete,
  mentionsUs,
  questionText,
  type Reader,
  recipientTeam,
  type SlackSelf,
} from './decode-text.ts';
import { readMessage } from './read-message.ts';

/** Edits older than this do not start an answer; it is as long as an answered id is remembered. */
const OLDEST_EDIT_MS = 24 * 60 * 60 * 1000;
/** The subtypes of what a person has written; all others are told by Slack or written by bots. */
export const SPOKEN_SUBTYPES: ReadonlySet<unknown> = new Set([
  undefined,
  'file_share',
  'me_message',
  'thread_broadcast',
]);
/** Slackbot, and Slack's own notices in our direct messages: these carry neither a subtype nor a `bot_id`. */
const NOT_PEOPLE: ReadonlySet<unknown> = new Set(['USLACKBOT', 'USLACK']);

/** What is read of a message, whichever event it comes in. The teams are only there where people of another workspace are. */
interface PostedMessage
  extends Pick<
    types.AppMentionEvent,
    'ts' | 'user' | 'bot_id' | 'thread_ts' | 'team' | 'user_team' | 'source_team'
  > {
  readonly subtype?: string | undefined;
  readonly text?: string;
  readonly edited?: object;
}

/**
 * The question in a message event: a mention, a direct message, a message in a thread, or an edit that newly mentions us. Null
 * for everything else: our own and other bots' messages, joins, deletions, channel talk. `sentAt` is the envelope's
 * `event_time`, in seconds.
 */
export function questionFromMessage(
  event: types.MessageEvent,
  reader: Reader,
  sentAt: number,
): Question | null {
  if (event.subtype === 'message_changed') return questionFromEdit(event, reader, sentAt);
  return questionFrom(event, event.channel, triggerOf(event, reader.self), reader, sentAt);
}

/** The question in an `app_mention`, which Slack sends beside the `message` of the same mention: both give the same id. */
export function questionFromMention(
  event: types.AppMentionEvent,
  reader: Reader,
  sentAt: number,
): Question | null {
  return questionFrom(event, event.channel, 'mention', reader, sentAt);
}

/** The id of the question whose message somebody deleted; null for every other event and for our own messages. */
export function deletedQuestion(event: types.MessageEvent, self: SlackSelf): string | null {
  const ts = deletedTs(event);
  if (ts === null || !('previous_message' in event)) return null;
  const before: PostedMessage | undefined = event.previous_message;
  if (before?.bot_id || before?.user === self.user || !isComplete([ts, event.channel])) return null;
  return idFrom('slack', self.team, event.channel, ts);
}

/** The thread that somebody else's bot said something in, and when in milliseconds since the epoch; null for every other event. */
export function overheardBot(
  event: types.MessageEvent,
  self: SlackSelf,
): { readonly thread: ThreadRef; readonly at: number } | null {
  if (event.subtype !== 'bot_message' && !SPOKEN_SUBTYPES.has(event.subtype)) return null;
  const { channel, ts, bot_id: bot, thread_ts: thread }: PostedMessage & { readonly channel: string } = event;
  if (!bot || bot === self.bot || !thread || thread === ts || !isComplete([channel, ts])) return null;
  const ref = { platform: 'slack', workspace: self.team, channel, thread } as const;
  return { thread: ref, at: Math.round(Number(ts) * 1000) };
}

/** Who used Slack's own Stop, and in which thread; null when the event does not say. */
export function stopFromEvent(
  { channel, thread_ts: thread, user }: types.AgentSessionStoppedEvent,
  self: SlackSelf,
): { readonly thread: ThreadRef; readonly by: Person } | null {
  if (!isComplete([channel, thread, user])) return null;
  return {
    thread: { platform: 'slack', workspace: self.team, channel, thread },
    by: { id: user, name: null },
  };
}

/** Of a message that a thread hangs on, Slack leaves a tombstone, a subtype that Bolt's types lack. */
function deletedTs(event: types.MessageEvent): string | null {
  if (event.subtype === 'message_deleted') return event.deleted_ts;
  if (event.subtype !== 'message_changed') return null;
  const { subtype, ts }: PostedMessage = event.message;
  return subtype === 'tombstone' ? ts : null;
}

function questionFromEdit(
  { message, previous_message: before, channel, channel_type }: types.MessageChangedEvent,
  reader: Reader,
  sentAt: number,
): Question | null {
  // A preview that arrives changes a message too, without an edit.
  if (!('edited' in message) || channel_type === 'im') return null;
  const isNewMention = mentionsUs(textOf(message), reader.self) && !mentionsUs(textOf(before), reader.self);
  return isNewMention ? questionFrom(message, channel, 'mention', reader, sentAt) : null;
}

/** The question as it is after an edit, whether or not it was one before; null for every other event. */
export function editedQuestion(event: types.MessageEvent, reader: Reader, sentAt: number): Question | null {
  if (event.subtype !== 'message_changed' || !('edited' in event.message)) return null;
  const { message, channel, channel_type } = event;
  const trigger = triggerOf({ ...message, channel_type }, reader.self);
  return questionFrom(message, channel, trigger ?? 'mention', reader, sentAt);
}

function triggerOf(
  event: PostedMessage & { readonly channel_type: string },
  self: SlackSelf,
): Trigger | null {
  if (event.channel_type === 'im') return 'dm';
  if (mentionsUs(textOf(event), self)) return 'mention';
  return event.thread_ts !== undefined && event.thread_ts !== event.ts ? 'thread' : null;
}

function questionFrom(
  message: PostedMessage,
  channel: string,
  trigger: Trigger | null,
  reader: Reader,
  sentAt: number,
): Question | null {
  const { self } = reader;
  const { ts, user, thread_ts: thread = ts } = message;
  if (trigger === null || user === undefined || !SPOKEN_SUBTYPES.has(message.subtype)) return null;
  const isPerson = user !== self.user && !NOT_PEOPLE.has(user) && !message.bot_id;
  const isOld = message.edited !== undefined && (sentAt - Number(ts)) * 1000 > OLDEST_EDIT_MS;
  if (!isPerson || isOld || !isComplete([ts, thread, user, channel])) return null;
  const { text, quotes, attachments } = readMessage(message, reader, questionText);
  const workspace = self.team;
  const place = { platform: 'slack', workspace, channel } as const;
  return {
    id: idFrom('slack', workspace, channel, ts),
    ...place,
    thread: { ...place, thread },
    message: { ...place, message: ts },
    repliesTo: null,
    trigger,
    asker: { id: user, name: null },
    text,
    quotes,
    attachments,
    title: null,
    addressesOthers: addressesOthers(textOf(message), self),
    overrides: {},
    delivery: {
      recipient: user,
      recipientTeam: recipientTeam(self, message.user_team, message.source_team, message.team),
    },
    askedAt: Math.round(Number(ts) * 1000),
  };
}

function textOf(message: object | undefined): string {
  return message && 'text' in message && typeof message.text === 'string' ? message.text : '';
}
