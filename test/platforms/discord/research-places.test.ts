import { describe, expect, test } from 'vitest';
import { behindCard, job, noticeIn, openBoard, show, started } from './research-setup.ts';
import { channelId, written } from './setup.ts';

describe('the place', () => {
  test('an archived thread is opened again; a locked, hidden or deleted one says so', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    const state = () => server.channels.find(({ id }) => id === thread.channel)?.archived;
    server.archive(thread.channel);
    await board.notify(noticeIn(thread, question));
    expect([state(), behindCard(server, thread.channel).length]).toEqual([false, 1]);
    const other = { ...question, id: '00000000-0000-5000-8000-00000000000b' };
    const tell = (isRepeat = false) => board.notify(noticeIn(thread, other, { isRepeat }));
    server.archive(thread.channel, { locked: true });
    await expect(tell()).rejects.toMatchObject({ kind: 'undeliverable' });
    await expect(tell(true)).rejects.toMatchObject({ kind: 'undeliverable' });
    server.deny('general', ['VIEW_CHANNEL']);
    await expect(tell()).rejects.toMatchObject({ kind: 'undeliverable' });
    server.deny('general', []);
    server.deleteChannel(thread.channel);
    await expect(tell()).rejects.toMatchObject({ kind: 'gone' });
    await expect(tell(true)).rejects.toMatchObject({ kind: 'gone' });
  });

  test('a direct message links to the card, also as the first ever, and repeats itself only once', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { question, thread, card } = await started(opened);
    const direct = noticeIn(thread, question, { place: { type: 'dm', link: card }, isRepeat: true });
    const noticed = await board.notify(direct);
    later(45);
    expect(await board.notify(direct)).toEqual(noticed);
    const [notice, ...more] = written(server, '@ada');
    expect(more).toEqual([]);
    const link = `https://discord.com/channels/${server.guild.id}/${thread.channel}/${card.message}`;
    expect(notice?.content.split('\n').slice(0, 2)).toEqual([
      `<@${question.asker.id}> Research finished in 6 min`,
      link,
    ]);
    expect(noticed).toMatchObject({ hasFile: true, message: { workspace: '@me', message: notice?.id } });
  });

  test('refused direct messages are no place', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const hermit = server.people.find(({ username }) => username === 'hermit');
    const { question, thread } = await started(opened, { asker: { id: hermit?.id ?? '', name: 'Hermit' } });
    const notice = noticeIn(thread, question, { place: { type: 'dm', link: null } });
    await expect(board.notify(notice)).rejects.toMatchObject({ kind: 'undeliverable', code: '50007' });
  });

  test('the channel of a question asked in a thread is the one around it', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread, card } = await started(opened);
    const inside = { ...question, channel: thread.channel };
    server.archive(thread.channel, { locked: true });
    await board.notify(noticeIn(thread, inside, { place: { type: 'channel' }, card }));
    await board.notify(
      noticeIn(
        thread,
        { ...question, id: '00000000-0000-5000-8000-00000000000b' },
        { place: { type: 'channel' } },
      ),
    );
    const shown = written(server, 'general');
    expect(shown.map(({ mentions }) => mentions)).toEqual([[question.asker.id], [question.asker.id]]);
    expect(shown[0]?.content).toContain(`/${thread.channel}/${card.message}`);
  });

  test('a forum takes no message outside its posts', async () => {
    const { server, board } = await openBoard();
    const question = job(server);
    const forum = { ...question, channel: channelId(server, 'help-forum') };
    const notice = noticeIn(question.thread!, forum, { place: { type: 'channel' } });
    await expect(board.notify(notice)).rejects.toMatchObject({ kind: 'rejected' });
  });

  test('where the app is not in the server at all, every place says so', async () => {
    const { server, board } = await openBoard();
    const question = job(server, { in: 'hidden', trigger: 'command', thread: null, message: null });
    await expect(show(board, question, 'Queued')).rejects.toMatchObject({ kind: 'undeliverable' });
    const thread = { ...job(server, { in: 'hidden' }).thread! };
    await expect(board.notify(noticeIn(thread, question))).rejects.toMatchObject({ kind: 'gone' });
    const around = noticeIn(thread, question, { place: { type: 'channel' } });
    await expect(board.notify(around)).rejects.toMatchObject({ kind: 'undeliverable' });
    server.fault('POST /users/@me/channels', { status: 403, code: 50_278 });
    const direct = noticeIn(thread, question, { place: { type: 'dm', link: null } });
    await expect(board.notify(direct)).rejects.toMatchObject({ kind: 'undeliverable' });
  });
});

test('a job that ends long after its command’s token and its card’s hour is delivered', async () => {
  const { server, board, later } = await openBoard({ limits: 'real' });
  const { id, token } = server.command({
    user: 'ada',
    channel: 'general',
    name: 'research',
    options: { question: 'How tall?' },
  });
  const callback = `${server.apiUrl}/v10/interactions/${id}/${token}/callback`;
  const body = JSON.stringify({ type: 4, data: { content: '> How tall?' } });
  await fetch(callback, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const delivery = { interaction: id, token, application: server.applicationId };
  const question = job(server, { trigger: 'command', thread: null, message: null, delivery });
  const { thread, card } = await show(board, question, 'R-4F2K · Queued');
  expect(thread.thread).toBe(server.interactions[0]?.response?.id);
  later(95);
  const done = await show(board, question, 'R-4F2K · Done', { thread, card });
  const noticed = await board.notify(noticeIn(thread, question, { card: done.card }));
  expect(noticed).toMatchObject({ type: 'posted', hasFile: true });
  expect(written(server, thread.channel).map(({ content }) => content.split('\n')[0])).toEqual([
    'R-4F2K · Done',
    `<@${question.asker.id}> Research finished in 6 min`,
  ]);
  const late = server.calls.filter(({ at }) => at > Date.now() + 60_000);
  expect(late.filter(({ route }) => route.includes('/:token'))).toEqual([]);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
});

test('twelve jobs ending in one channel at once are all told of, without a 429', async () => {
  const { server, board } = await openBoard({ limits: 'real' });
  const question = job(server, { in: '@ada' });
  const jobs = Array.from({ length: 12 }, (_, i) => ({ ...question, id: `0000000${i}-0000-5000` }));
  const told = await Promise.all(jobs.map((one) => board.notify(noticeIn(question.thread!, one))));
  expect(new Set(told.map((one) => one.type === 'posted' && one.message.message)).size).toBe(12);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
}, 30_000);
