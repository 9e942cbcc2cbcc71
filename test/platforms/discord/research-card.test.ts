import { describe, expect, test, vi } from 'vitest';
import { EDIT, job, noticeIn, openBoard, POST, show, started } from './research-setup.ts';
import { channelId, written } from './setup.ts';

const calls = (server: Parameters<typeof written>[0], method: string) =>
  server.calls.filter((call) => call.method === method && call.route.includes('/messages'));

describe('the card of a research job', () => {
  test('stands in a thread started from the question, with its button, and notifies nobody', async () => {
    const { server, board } = await openBoard();
    const question = job(server);
    const hostile = `> @everyone <@${question.asker.id}>\nR-4F2K · Queued`;
    const { thread, card } = await show(board, question, hostile);
    expect(thread).toEqual(question.thread);
    const [shown, ...more] = written(server, thread.channel);
    expect(more).toEqual([]);
    expect(shown).toMatchObject({
      id: card?.message,
      mentions: [],
      content: expect.stringContaining('Queued'),
    });
    expect(JSON.stringify(shown?.components)).toContain(`footnote:stop:${question.id}`);
    expect(server.channels.find(({ id }) => id === thread.channel)?.name).toBe('How tall?');
  });

  test('changes in place, with the bot’s own token, however long after the interaction', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { question, thread, card } = await started(opened);
    later(20);
    const again = await show(board, question, 'R-4F2K · Researching', { thread, card });
    expect(again).toEqual({ thread, card });
    expect(written(server, thread.channel).map(({ content }) => content)).toEqual(['R-4F2K · Researching']);
    const writes = server.calls.filter(({ method }) => method !== 'GET');
    expect(new Set(writes.map(({ auth }) => auth))).toEqual(new Set([`Bot ${server.token}`]));
  });

  test.each([
    ['at once', 0],
    ['long after the nonce is forgotten', 30],
  ])('whose response was lost is there once when it is shown again %s', async (_, minutes) => {
    const { server, board, later } = await openBoard();
    const question = job(server);
    server.fault(POST, 'commit-then-reset');
    await expect(show(board, question, 'R-4F2K · Queued')).rejects.toMatchObject({ kind: 'unreachable' });
    server.say({ user: 'grace', channel: question.thread?.channel ?? '', content: 'What is that?' });
    later(minutes);
    const { card } = await show(board, question, 'R-4F2K · Researching', { isRepeat: true });
    const shown = written(server, question.thread?.channel ?? '');
    expect(shown.map(({ id, content }) => [id, content])).toEqual([[card?.message, 'R-4F2K · Researching']]);
  });

  test('is not taken for another job’s, nor for the notification', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const first = await started(opened);
    await board.notify(noticeIn(first.thread, first.question));
    const channel = first.thread.channel;
    const second = { ...first.question, id: '00000000-0000-5000-8000-00000000000b', channel };
    later(30);
    const { card } = await show(board, second, 'R-7H3M · Queued', { isRepeat: true });
    expect(written(server, channel).map(({ id }) => id)[2]).toBe(card?.message);
    const again = await show(board, first.question, 'R-4F2K · Done', { isRepeat: true });
    expect(again.card).toEqual(first.card);
    expect(written(server, channel)).toHaveLength(3);
  });

  test('shows no progress where there is no room for it: nothing is refused', async () => {
    const { server, board } = await openBoard({ limits: 'real' });
    const here = channelId(server, '@ada');
    const question = job(server, { in: '@ada' });
    const { thread, card } = await show(board, question, 'R-4F2K · Queued');
    expect(thread.channel).toBe(here);
    const edits = Array.from({ length: 8 }, (_, i) =>
      show(board, question, `Edit ${i}`, { thread, card, urgency: 'progress' }),
    );
    await Promise.all(edits);
    expect(calls(server, 'PATCH').length).toBeGreaterThan(0);
    expect(calls(server, 'PATCH').length).toBeLessThanOrEqual(5);
    expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  test('in a thread that sleeps is left alone by progress and woken by the end', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread, card } = await started(opened);
    server.archive(thread.channel);
    const isAsleep = () => server.channels.find(({ id }) => id === thread.channel)?.archived;
    await show(board, question, 'R-4F2K · Researching', { thread, card, urgency: 'progress' });
    expect([isAsleep(), written(server, thread.channel)[0]?.content]).toEqual([true, 'R-4F2K · Queued']);
    await show(board, question, 'R-4F2K · Done', { thread, card });
    expect([isAsleep(), written(server, thread.channel)[0]?.content]).toEqual([false, 'R-4F2K · Done']);
  });

  test('says when there is no place for it', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const locked = await started(opened);
    server.archive(locked.thread.channel, { locked: true });
    await expect(show(board, locked.question, 'Done', locked)).rejects.toMatchObject({
      kind: 'undeliverable',
    });
    const removed = await started(opened, { id: '00000000-0000-5000-8000-00000000000b' });
    server.remove({ channel: removed.card.channel, message: removed.card.message });
    await expect(show(board, removed.question, 'Done', removed)).rejects.toMatchObject({ kind: 'gone' });
    const hidden = job(server, { in: 'hidden', id: '00000000-0000-5000-8000-00000000000c' });
    await expect(show(board, hidden, 'Queued')).rejects.toMatchObject({ kind: 'undeliverable' });
    server.fault(POST, { status: 401, code: 0 });
    const late = job(server, { id: '00000000-0000-5000-8000-00000000000d' });
    await expect(show(board, late, 'Queued')).rejects.toMatchObject({ kind: 'not-authorised' });
  });

  test('that is old gets its end and no progress; the end it is refused is given up', async () => {
    const opened = await openBoard({ ahead: -70 });
    const { server, board, later } = opened;
    const { question, thread, card } = await started(opened);
    later(70);
    await show(board, question, 'R-4F2K · 70 min', { thread, card, urgency: 'progress' });
    expect(calls(server, 'PATCH')).toEqual([]);
    await show(board, question, 'R-4F2K · Done', { thread, card });
    expect(written(server, thread.channel)[0]?.content).toBe('R-4F2K · Done');
    server.fault(EDIT, { retryAfter: 60 });
    expect(await show(board, question, 'R-4F2K · Done twice', { thread, card })).toEqual({ thread, card });
  });

  test('is one message, however long the question', async () => {
    const { server, board } = await openBoard();
    const question = job(server);
    await show(board, question, `> ${'How *tall* is it? '.repeat(250)}\n\nR-4F2K · Queued`);
    const [shown, ...more] = written(server, question.thread?.channel ?? '');
    expect(more).toEqual([]);
    expect(shown?.content).toMatch(/…$/);
    expect(Array.from(shown?.content ?? '').length).toBeLessThanOrEqual(2_000);
  });
});

describe('where there are no threads', () => {
  test('the card replies to the question, and the notification to the card', async () => {
    const opened = await openBoard({ threads: 'never' });
    const { server, board } = opened;
    const { question, thread, card } = await started(opened);
    const noticed = await board.notify(noticeIn(thread, question, { card }));
    const [shown, notice] = written(server, 'general');
    expect(shown).toMatchObject({ id: card.message, referencedMessage: question.message?.message });
    expect(notice).toMatchObject({ referencedMessage: card.message, mentions: [question.asker.id] });
    expect(noticed).toMatchObject({ type: 'posted', message: { message: notice?.id } });
  });

  test('“Dig deeper” under the answer to a command goes on below the command', async () => {
    const { server, board } = await openBoard();
    const channel = channelId(server, 'no-threads');
    const root = server.say({ user: 'ada', channel, content: '> How tall?' });
    const thread = { platform: 'discord', workspace: server.guild.id, channel: root, thread: root } as const;
    const question = job(server, { in: 'no-threads', thread, message: null, trigger: 'button' });
    const { card } = await show(board, question, 'R-4F2K · Queued');
    expect(written(server, channel)[0]).toMatchObject({ id: card?.message, referencedMessage: root });
  });
});

/** Responds to a command as the gateway's holder does. */
async function restated(server: Parameters<typeof written>[0], { id, token }: { id: string; token: string }) {
  const callback = `${server.apiUrl}/v10/interactions/${id}/${token}/callback`;
  const body = JSON.stringify({ type: 4, data: { content: '> How tall?' } });
  await fetch(callback, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

test('a command in a direct conversation is restated above its card, though the card is quicker', async () => {
  const { server, board } = await openBoard();
  const { id, token } = server.command({ user: 'ada', channel: '@ada', name: 'research' });
  const delivery = { interaction: id, token, application: server.applicationId };
  const question = job(server, { in: '@ada', trigger: 'command', message: null, delivery });
  const showing = show(board, question, 'R-4F2K · Queued', { thread: question.thread });
  await vi.waitFor(() => expect(server.calls.some(({ path }) => path.endsWith('@original'))).toBe(true));
  await restated(server, { id, token });
  await showing;
  expect(written(server, '@ada').map(({ content }) => content)).toEqual(['> How tall?', 'R-4F2K · Queued']);
});

test.each([
  ['the response to it', true],
  ['what was posted in place of its response', false],
])('a command taken up again long after, with nothing recorded, is found by %s', async (_, hasResponse) => {
  const { server, board, later } = await openBoard({ ahead: -20 });
  const { id, token } = server.command({ user: 'ada', channel: 'general', name: 'research' });
  if (hasResponse) await restated(server, { id, token });
  const delivery = { interaction: id, token, application: server.applicationId };
  const askedAt = Date.now() - 20 * 60_000;
  const question = job(server, { trigger: 'command', thread: null, message: null, delivery, askedAt });
  const first = await show(board, question, 'R-4F2K · Queued');
  later(20);
  expect(await show(board, question, 'R-4F2K · Queued', { isRepeat: true })).toEqual(first);
  expect(written(server, 'general')).toHaveLength(1);
  expect(written(server, first.thread.channel)).toHaveLength(1);
});

test('a command’s card is found again without the command being restated', async () => {
  const { server, board, later } = await openBoard();
  const question = job(server, { thread: null, message: null, trigger: 'command' });
  const first = await show(board, question, 'R-4F2K · Queued');
  expect(written(server, 'general')[0]?.content).toBe('Ada asked:\n> How tall?');
  later(30);
  const again = await show(board, question, 'R-4F2K · Queued', { thread: first.thread, isRepeat: true });
  expect(again).toEqual(first);
  expect(written(server, 'general')).toHaveLength(1);
});
