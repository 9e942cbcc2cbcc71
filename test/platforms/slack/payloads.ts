/** Payloads with the fields that are read; the casts leave out the rest of what Slack sends. */
import type { BlockButtonAction, MessageShortcut, SlashCommand, types } from '@slack/bolt';
import type { Reader, SlackSelf } from '../../../src/platforms/slack/decode-text.ts';

export const SELF: SlackSelf = { team: 'T1', user: 'UBOT', bot: 'BBOT', name: 'footnote' };
/** Of the people only Grace is known by name. */
export const READER: Reader = { self: SELF, names: { known: (id) => (id === 'U9' ? 'Grace' : null) } };

/** A whole day later than no message in these tests. */
export const ASKED_AT_S = 1_795_000_000;
export const TS = `${ASKED_AT_S}.000100`;

type Fields = Readonly<Record<string, unknown>>;

/** A plain message in a public channel. */
export function messageEvent(fields: Fields = {}): types.MessageEvent {
  return {
    type: 'message',
    channel: 'C1',
    channel_type: 'channel',
    user: 'U1',
    text: 'hello',
    ts: TS,
    team: 'T1',
    ...fields,
  } as unknown as types.MessageEvent;
}

export function mentionEvent(fields: Fields = {}): types.AppMentionEvent {
  return {
    type: 'app_mention',
    channel: 'C1',
    user: 'U1',
    text: '<@UBOT> why?',
    ts: TS,
    team: 'T1',
    ...fields,
  } as unknown as types.AppMentionEvent;
}

/** An edit of a message: `message_changed` as channels get it. */
export function editEvent(before: string, after: string, fields: Fields = {}): types.MessageEvent {
  const message = {
    type: 'message',
    user: 'U1',
    text: after,
    ts: TS,
    edited: { user: 'U1', ts: TS },
    team: 'T1',
  };
  return {
    type: 'message',
    subtype: 'message_changed',
    channel: 'C1',
    channel_type: 'channel',
    ts: `${ASKED_AT_S + 5}.000200`,
    message,
    previous_message: { type: 'message', user: 'U1', text: before, ts: TS },
    ...fields,
  } as unknown as types.MessageEvent;
}

export function commandBody(text: string): SlashCommand {
  return {
    command: '/ask',
    text,
    channel_id: 'C1',
    user_id: 'U1',
    user_name: 'ada',
    team_id: 'T1',
    trigger_id: '13.37.abc',
    response_url: 'http://127.0.0.1:1/response',
  } as unknown as SlashCommand;
}

export function shortcutBody(message: Fields, fields: Fields = {}): MessageShortcut {
  return {
    type: 'message_action',
    callback_id: 'ask_about_message',
    trigger_id: '13.38.abc',
    response_url: 'http://127.0.0.1:1/response',
    message_ts: TS,
    team: { id: 'T1' },
    channel: { id: 'C1', name: 'general' },
    user: { id: 'U1', name: 'ada', team_id: 'T1' },
    message: { type: 'message', user: 'U2', text: 'The moon is &lt; Mars', ts: TS, ...message },
    ...fields,
  } as unknown as MessageShortcut;
}

export function pressBody(actionId: string, value = 'q-1'): BlockButtonAction {
  return {
    type: 'block_actions',
    trigger_id: '13.39.abc',
    response_url: 'http://127.0.0.1:1/response',
    team: { id: 'T1' },
    channel: { id: 'C1' },
    user: { id: 'U1', username: 'ada', name: 'ada', team_id: 'T1' },
    actions: [{ type: 'button', action_id: actionId, value, block_id: 'b' }],
  } as unknown as BlockButtonAction;
}
