/** Events as Slack sends them for what happened in a channel. */
import { randomUUID } from 'node:crypto';
import type { Context } from './context.ts';
import { showMessage } from './context.ts';
import { eventCallback, type Payload } from './payloads.ts';
import type { Channel, StoredMessage } from './types.ts';
import { BOT, findChannel, hasBot } from './world.ts';

/**
 * A new message: `message`, and `app_mention` beside it when it mentions the bot in a channel. The two come in random order
 * with different event ids. Our bot's own messages are echoed without an `app_mention`.
 */
export function messagePosted(context: Context, message: StoredMessage): void {
  const { channel, shown, position } = look(context, message);
  const events: Payload[] = [{ ...shown, ...position, channel_type: channel.kind }];
  if (mentionsBot(channel, message)) events.push(mention(shown, position));
  if (context.random() < 0.5) events.reverse();
  for (const event of events) deliver(context, channel, message, event);
}

/** An edit, ours or a person's; a person's mention is announced by a second `app_mention` carrying `edited`. */
export function messageChanged(context: Context, message: StoredMessage, previous: Payload): void {
  const { channel, shown, position } = look(context, message);
  deliver(context, channel, message, {
    ...hiddenEvent(context, channel, 'message_changed'),
    message: shown,
    previous_message: previous,
  });
  if (mentionsBot(channel, message)) deliver(context, channel, message, mention(shown, position));
}

/** A deletion; of a root with replies only a tombstone is left, which Slack announces as a change. */
export function messageDeleted(context: Context, message: StoredMessage, previous: Payload): void {
  const { channel, shown } = look(context, message);
  const what = message.tombstone
    ? { ...hiddenEvent(context, channel, 'message_changed'), message: shown }
    : { ...hiddenEvent(context, channel, 'message_deleted'), deleted_ts: message.ts };
  deliver(context, channel, message, { ...what, previous_message: previous });
}

/** Somebody used Slack's own Stop in a thread of the agent; whatever streams there goes on until the app ends it. */
export function sessionStopped(context: Context, root: StoredMessage, user: string): void {
  const { channel } = look(context, root);
  const streaming = context.store
    .replies(channel.id, root.ts)
    .filter((message) => message.stream?.open)
    .map((message) => message.ts);
  deliver(context, channel, root, {
    type: 'agent_session_stopped',
    channel: channel.id,
    user,
    thread_ts: root.ts,
    streaming_message_ts: streaming,
    event_ts: context.store.nextTs(),
  });
}

/** Any other event that happens in a channel, as it is given; `actor` is who caused it. */
export function happened(context: Context, channel: Channel, actor: string | null, event: Payload): void {
  send(context, channel, actor, String(event['ts']), event);
}

function look(context: Context, message: StoredMessage) {
  const channel = findChannel(message.channel);
  if (channel === undefined) throw new Error(`no such channel: ${message.channel}`);
  const shown = showMessage(context, message);
  return { channel, shown, position: { channel: channel.id, event_ts: message.ts } };
}

function mention(shown: Payload, position: Payload): Payload {
  const { subtype: _subtype, ...rest } = shown;
  return { ...rest, ...position, type: 'app_mention' };
}

function hiddenEvent(context: Context, channel: Channel, subtype: string): Payload {
  const ts = context.store.nextTs();
  return {
    type: 'message',
    subtype,
    hidden: true,
    channel: channel.id,
    channel_type: channel.kind,
    ts,
    event_ts: ts,
  };
}

function deliver(context: Context, channel: Channel, message: StoredMessage, event: Payload): void {
  send(context, channel, message.user, message.ts, event);
}

function send(context: Context, channel: Channel, actor: string | null, about: string, event: Payload): void {
  // An app hears nothing from where it is not a member.
  if (!hasBot(channel)) return;
  const id = `Ev${randomUUID().replaceAll('-', '').slice(0, 12).toUpperCase()}`;
  const payload = eventCallback(id, channel, actor, event);
  context.deliveries.send({ id, about, type: 'events_api', payload });
}

function mentionsBot(channel: Channel, message: StoredMessage): boolean {
  const text = message.markdown ?? message.text;
  return channel.kind === 'channel' && message.botId !== BOT.id && text.includes(`<@${BOT.user}>`);
}
