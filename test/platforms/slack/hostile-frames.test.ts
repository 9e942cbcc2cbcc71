/** Frames that make no sense neither end the process nor come again, and the next question is answered. */
import { expect, test, vi } from 'vitest';
import { ADA, GENERAL, listening } from './setup.ts';

const event = (inner: unknown, rest: object = {}) => ({
  type: 'events_api',
  payload: { event: inner, ...rest },
});
const interactive = (payload: unknown) => ({ type: 'interactive', payload });
const command = (payload: unknown) => ({ type: 'slash_commands', payload });
const message = { type: 'message', channel: GENERAL, channel_type: 'channel', user: ADA, ts: '1.2' };
const press = { type: 'block_actions', user: { id: ADA }, trigger_id: '1.2.3' };

const FRAMES: readonly object[] = [
  { type: 'never_seen', payload: {} },
  { type: 7, payload: {} },
  { type: 'events_api', payload: null },
  { type: 'events_api', payload: [] },
  { type: 'events_api', payload: {} },
  { type: 'events_api', payload: { type: 'app_rate_limited', team_id: 'T1', minute_rate_limited: 1 } },
  event(null),
  event('x'),
  event(7, { authorizations: 7 }),
  event({}),
  event({ type: 7 }),
  event({ type: 'message' }),
  event({ type: 'message', subtype: 'message_changed' }),
  event({ type: 'message', subtype: 'message_changed', message: null, previous_message: null }),
  event({ type: 'message', subtype: 'message_deleted', previous_message: 7 }),
  event({ type: 'message', subtype: 'message_deleted', deleted_ts: 7, previous_message: {} }),
  event({ ...message, text: 7, channel: [] }),
  event({ ...message, channel_type: 'im', ts: { 1: 2 } }),
  event({ ...message, channel_type: 'im', user: [ADA] }),
  event({ ...message, channel_type: 'im', text: 'why?', files: 7 }),
  event({ ...message, channel_type: 'im', text: 'why?', attachments: [null] }),
  event({ ...message, channel_type: 'im', thread_ts: {} }),
  event({ type: 'app_mention', user: null, channel: null }),
  event({ type: 'app_mention', user: ADA, channel: GENERAL, text: {}, ts: '1.2', files: [null] }),
  event({ type: 'agent_session_stopped', channel: 7 }),
  event({ type: 'reaction_added', item: null }),
  event({ type: 'function_executed' }),
  event({ type: 'tokens_revoked' }),
  interactive({}),
  interactive({ type: 'never_seen' }),
  interactive({ type: 'block_actions' }),
  interactive({ ...press, actions: [] }),
  interactive({ ...press, actions: [null] }),
  interactive({ ...press, actions: [{}] }),
  interactive({ ...press, actions: [{ action_id: 7, value: {} }] }),
  interactive({
    ...press,
    user: null,
    actions: [{ type: 'button', action_id: 'footnote:stop', value: 'q' }],
  }),
  interactive({ type: 'message_action', callback_id: 'ask_about_message' }),
  interactive({
    type: 'message_action',
    callback_id: 'ask_about_message',
    channel: {},
    user: {},
    message: 7,
  }),
  interactive({ type: 'view_submission', view: null }),
  interactive({ type: 'block_suggestion' }),
  command({}),
  command({ command: 7 }),
  command({ command: '/ask' }),
  command({ command: '/ask', text: {}, user_id: ADA, channel_id: GENERAL }),
  command({ command: '/jobs', text: 7 }),
  command({ command: '/never' }),
];

test('all of them at once', async () => {
  const { server, intake, researchCommands } = await listening();
  for (const nothing of ['not json', 'null', '[]', {}, { type: 'events_api' }]) server.deliverRaw(nothing);
  const ids = FRAMES.map((_frame, index) => `e${index}`);
  for (const [index, frame] of FRAMES.entries()) server.deliverRaw({ envelope_id: ids[index], ...frame });
  await vi.waitFor(() => expect([...server.acknowledged].sort()).toEqual(ids.sort()), 2_000);
  expect(intake.questions).toEqual([]);
  expect(intake.presses).toEqual([]);
  expect(intake.stops).toEqual([]);
  expect(intake.withdrawn).toEqual([]);
  expect(researchCommands.requests).toEqual([]);
  server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
  await vi.waitFor(() => expect(intake.questions).toMatchObject([{ text: 'why?' }]));
});
