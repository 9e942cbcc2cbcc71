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
  event({ ...message, channel_type: 'im', thread_ts: {} }),
  event({ type: 'app_mention', user: null, channel: null }),
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

const word = { type: 'text', text: 'x' };
const many = (count: number, value: unknown): unknown[] => Array.from({ length: count }, () => value);
const share = (attachments: unknown) => [{ is_share: true, text: 'y', attachments, message_blocks: 7 }];
const wrapped = (times: number, inner: unknown, wrap: (inner: unknown) => unknown): unknown =>
  Array.from({ length: times }).reduce(wrap, inner);

test.each<readonly [string, object]>([
  ['files that are none', { files: 7 }],
  [
    'files of nonsense',
    { files: [null, 7, { name: {}, size: 'x', url_private: [], transcription: 7, from: 7 }] },
  ],
  [
    'attachments of nonsense',
    { attachments: [null, 7, [], { is_share: true }, { blocks: 7, fields: [null, 7] }] },
  ],
  ['blocks of nonsense', { blocks: [null, 7, { type: {} }, { type: 'table', rows: [7, [null, {}], {}] }] }],
  [
    'rich text of nonsense',
    { blocks: [{ type: 'rich_text', elements: [7, { type: 'date' }, { type: 'link' }] }] },
  ],
  [
    'a list that begins at infinity',
    { blocks: [{ type: 'rich_text_list', indent: 1e9, offset: 1e300, elements: {} }] },
  ],
  [
    'blocks within blocks',
    { blocks: wrapped(300, word, (inner) => ({ type: 'rich_text', elements: [inner] })) as object },
  ],
  ['lists within lists', { blocks: wrapped(300, [], (inner) => [inner]) as object }],
  ['shares within shares', { attachments: wrapped(100, [], share) as object }],
  [
    'a hundred thousand elements',
    { attachments: [{ blocks: [{ type: 'rich_text', elements: many(100_000, word) }] }] },
  ],
  [
    'a great table',
    {
      attachments: [{ blocks: [{ type: 'table', rows: many(3_000, many(100, word)) }] }],
    },
  ],
  ['many attachments', { attachments: many(20_000, { text: 'z '.repeat(20) }) }],
  ['many brackets', { attachments: [{ text: '<'.repeat(500_000) }, { text: `${' '.repeat(500_000)}\n` }] }],
])('%s beside the words cost little, and the words are read', async (_what, rest) => {
  const { server, intake } = await listening();
  const event = { type: 'message', user: ADA, text: 'why?', ...rest };
  const startedAt = process.cpuUsage();
  server.event({ channel: 'D000000ADA', event });
  await vi.waitFor(() => expect(intake.questions).toHaveLength(1), 10_000);
  const { user, system } = process.cpuUsage(startedAt);
  expect((user + system) / 1e6).toBeLessThan(3);
  expect(intake.questions[0]?.text).toMatch(/^why\?/);
  expect(JSON.stringify(intake.questions).length).toBeLessThan(200_000);
});
