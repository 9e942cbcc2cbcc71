import type { SlackSelf } from '../../../src/platforms/slack/incoming-text.ts';

export const SELF: SlackSelf = { team: 'T1', user: 'UBOT', bot: 'BBOT', name: 'footnote' };

/** A whole day later than no message in these tests. */
export const ASKED_AT_S = 1_795_000_000;
export const TS = `${ASKED_AT_S}.000100`;

type Fields = Readonly<Record<string, unknown>>;

/** An Events API body around one inner event. */
export function eventBody(event: Fields, envelope: Fields = {}): Fields {
  return {
    type: 'event_callback',
    team_id: 'T1',
    context_team_id: 'T1',
    event_id: 'Ev1',
    event_time: ASKED_AT_S,
    authorizations: [{ team_id: 'T1', user_id: 'UBOT', is_bot: true }],
    event,
    ...envelope,
  };
}

/** A plain message in a public channel. */
export function messageEvent(fields: Fields = {}): Fields {
  return {
    type: 'message',
    channel: 'C1',
    channel_type: 'channel',
    user: 'U1',
    text: 'hello',
    ts: TS,
    team: 'T1',
    ...fields,
  };
}

export function mentionEvent(fields: Fields = {}): Fields {
  return {
    type: 'app_mention',
    channel: 'C1',
    user: 'U1',
    text: '<@UBOT> why?',
    ts: TS,
    team: 'T1',
    ...fields,
  };
}

/** An edit of a message: `message_changed` as channels get it. */
export function editEvent(before: string, after: string, fields: Fields = {}): Fields {
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
  };
}

export function commandBody(text: string): Fields {
  return {
    command: '/ask',
    text,
    channel_id: 'C1',
    user_id: 'U1',
    user_name: 'ada',
    team_id: 'T1',
    trigger_id: '13.37.abc',
    response_url: 'http://127.0.0.1:1/response',
  };
}

export function shortcutBody(message: Fields, fields: Fields = {}): Fields {
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
  };
}

export function pressBody(actionId: string, value = 'q-1'): Fields {
  return {
    type: 'block_actions',
    trigger_id: '13.39.abc',
    response_url: 'http://127.0.0.1:1/response',
    team: { id: 'T1' },
    channel: { id: 'C1' },
    user: { id: 'U1', username: 'ada', name: 'ada', team_id: 'T1' },
    actions: [{ type: 'button', action_id: actionId, value, block_id: 'b' }],
  };
}
