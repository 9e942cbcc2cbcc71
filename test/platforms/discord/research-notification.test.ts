// A service on both platforms has Slack's HTTP client in it too, and the first one loaded serves all: a form once fell between them.
import '@slack/socket-mode';
import { describe, expect, test } from 'vitest';
import type { ResearchNotification } from '../../../src/core/research/ports.ts';
import type { Source } from '../../../src/core/types.ts';
import { liveTokens, pings } from '../../servers/discord/checks.ts';
import { type Board, behindCard, cardView, noticeIn, openBoard, POST, started } from './research-setup.ts';
import { SOURCES } from './setup.ts';

describe('the notification', () => {
  test('is one message: mention, summary, sources, buttons and the report as a file', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread, card } = await started(opened);
    const noticed = await board.notify(noticeIn(thread, question, { card }));
    const [notice, ...more] = behindCard(server, thread.channel);
    expect(more).toEqual([]);
    expect(noticed).toMatchObject({ type: 'posted', message: { message: notice?.id }, hasFile: true });
    const lines = notice?.content.split('\n') ?? [];
    expect(lines[0]).toBe(`<@${question.asker.id}> Research finished in 6 min`);
    expect(notice?.content).toContain('[[1]](<https://tower.example/facts>)');
    expect(notice?.content).toContain('-# 2 · [City guide](<https://city.example/guide>) — city.example');
    expect(lines.at(-1)).toBe('-# sonar-deep-research · 2 sources');
    expect(JSON.stringify(notice?.components)).toContain(`footnote:sources:${question.id}`);
    expect(notice?.attachments).toMatchObject([
      { filename: 'how-tall.md', text: '# How tall?\n\nIt is 330 m tall.' },
    ]);
  });

  test('notifies the asker and nobody else, whatever the report says', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    const [ada, grace] = server.people;
    const hostile = `@everyone @here <@${grace?.id}> <@!${grace?.id}> <@&${server.guild.role}> <@${ada?.id}> [1]`;
    const title = `<@${grace?.id}> @everyone`;
    const sources = [{ ...SOURCES[0]!, title }];
    const view = {
      ...noticeIn(thread, question).view,
      text: hostile,
      sources,
      notices: [hostile],
      footer: hostile,
    };
    await board.notify(noticeIn(thread, question, { view, lead: `Finished ${hostile}` }));
    const [notice] = behindCard(server, thread.channel);
    expect(notice?.mentions).toEqual([ada?.id]);
    expect(server.calls.flatMap(pings)).toEqual([`user:${ada?.id}`]);
    const { body } = server.calls.findLast(({ files }) => files.length > 0) ?? {};
    expect(body).toMatchObject({ allowed_mentions: { parse: [], users: [ada?.id], replied_user: false } });
    const mentions = liveTokens(notice?.content ?? '').filter(({ kind }) => !kind.endsWith('link'));
    expect(mentions.map(({ text }) => text)).toEqual([`<@${ada?.id}>`]);
  });

  test('of a report of 60,000 characters and 120 sources is within the limits, its file whole', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    const sources: Source[] = Array.from({ length: 120 }, (_, i) => ({
      number: i + 1,
      url: `https://site-${i + 1}.example/${'a-rather-long-path/'.repeat(12)}`,
      title: `Source ${i + 1} ${'with a long title '.repeat(6)}`,
      date: '2026-11-03',
      snippet: null,
    }));
    const summary = Array.from(
      { length: 5 },
      (_, i) => `${'Words of a summary '.repeat(12)}[${i + 1}][${i + 60}].`,
    );
    const text = `# Report\n\n${'Sixty thousand characters. '.repeat(2_300)}`;
    const view = { ...noticeIn(thread, question).view, text: summary.join('\n'), sources };
    const noticed = await board.notify(
      noticeIn(thread, question, { view, file: { name: 'report.md', text } }),
    );
    const [notice] = behindCard(server, thread.channel);
    expect(noticed).toMatchObject({ hasFile: true });
    expect(Array.from(notice?.content ?? '').length).toBeLessThanOrEqual(2_000);
    expect(notice?.content).toContain('site-1.example');
    expect(notice?.content).toContain('sonar-deep-research');
    expect(notice?.attachments[0]?.text).toBe(text);
  });

  test('of a failure has its reason and “Try again”, and no file', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    const buttons = [{ action: 'retry', label: 'Try again', question: question.id } as const];
    const view = { ...cardView('It was not charged.'), state: 'failed' as const, buttons };
    const noticed = await board.notify(
      noticeIn(thread, question, { lead: 'Research failed', view, file: null }),
    );
    const [notice] = behindCard(server, thread.channel);
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    expect(notice?.content).toBe(`<@${question.asker.id}> Research failed\nIt was not charged.`);
    expect(JSON.stringify(notice?.components)).toContain(`footnote:retry:${question.id}`);
  });
});

describe('exactly once', () => {
  const lost = async (opened: Board, fields: Partial<ResearchNotification> = {}) => {
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    server.fault(POST, 'commit-then-reset', 3);
    const notice = noticeIn(thread, question, fields);
    await expect(board.notify(notice)).rejects.toMatchObject({ kind: 'unreachable' });
    return { notice, thread };
  };

  test('a response that is lost is asked for again', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    server.fault(POST, 'commit-then-reset');
    expect(await board.notify(noticeIn(thread, question))).toMatchObject({ type: 'posted', hasFile: true });
    expect(behindCard(server, thread.channel)).toHaveLength(1);
  });

  test.each([
    ['at once', 0],
    ['long after the nonce is forgotten', 45],
  ])('one that seemed to fail is found when it is repeated %s', async (_, minutes) => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { notice, thread } = await lost(opened);
    for (let i = 0; i < 130; i++)
      server.say({ user: 'grace', channel: thread.channel, content: `Words ${i}` });
    later(minutes);
    const again = await board.notify({ ...notice, isRepeat: true });
    const [only, ...more] = behindCard(server, thread.channel);
    expect(more).toEqual([]);
    expect(again).toMatchObject({ type: 'posted', message: { message: only?.id }, hasFile: true });
  });

  test('one without buttons is found by its words', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { notice, thread } = await lost(opened, { view: cardView('It was not charged.'), file: null });
    later(45);
    expect(await board.notify({ ...notice, isRepeat: true })).toMatchObject({
      type: 'posted',
      hasFile: false,
    });
    expect(behindCard(server, thread.channel)).toHaveLength(1);
  });

  test('one that never left is posted by the repeat; neither the card nor another job’s word is taken for it', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { question, thread } = await started(opened);
    const other = { ...question, id: '00000000-0000-5000-8000-00000000000b' };
    await board.notify(noticeIn(thread, other));
    later(45);
    const again = await board.notify(noticeIn(thread, question, { isRepeat: true }));
    const shown = behindCard(server, thread.channel);
    expect(shown).toHaveLength(2);
    expect(again).toMatchObject({ message: { message: shown[1]?.id } });
  });

  test('nothing is posted by a repeat where the history cannot be read', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { notice, thread } = await lost(opened);
    later(45);
    server.deny('general', ['READ_MESSAGE_HISTORY']);
    expect(await board.notify({ ...notice, isRepeat: true })).toEqual({ type: 'unknown' });
    server.deny('general', ['VIEW_CHANNEL']);
    expect(await board.notify({ ...notice, isRepeat: true })).toEqual({ type: 'unknown' });
    expect(behindCard(server, thread.channel)).toHaveLength(1);
  });

  test('nor where too much was said before it', async () => {
    const opened = await openBoard();
    const { server, board, later } = opened;
    const { question, thread } = await started(opened);
    for (let i = 0; i < 600; i++)
      server.say({ user: 'grace', channel: thread.channel, content: `Words ${i}` });
    server.fault(POST, 'commit-then-reset', 3);
    const notice = noticeIn(thread, question);
    await expect(board.notify(notice)).rejects.toMatchObject({ kind: 'unreachable' });
    later(45);
    expect(await board.notify({ ...notice, isRepeat: true })).toEqual({ type: 'unknown' });
    expect(behindCard(server, thread.channel)).toHaveLength(1);
  });
});

describe('the file', () => {
  test.each([
    ['is not allowed', 'short', ['ATTACH_FILES'] as const],
    ['is too large', 'x'.repeat(10 * 1024 * 1024 + 1), [] as const],
  ])('that %s is left out', async (_, text, denied) => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    server.deny('general', denied);
    const noticed = await board.notify(noticeIn(thread, question, { file: { name: 'r.md', text } }));
    expect(noticed).toMatchObject({ type: 'posted', hasFile: false });
    const [notice, ...more] = behindCard(server, thread.channel);
    expect([notice?.attachments, more]).toEqual([[], []]);
    expect(notice?.content).toContain('330 m');
  });

  test('is not tried again where nothing can be written at all', async () => {
    const opened = await openBoard();
    const { server, board } = opened;
    const { question, thread } = await started(opened);
    server.deny('general', ['SEND_MESSAGES_IN_THREADS']);
    await expect(board.notify(noticeIn(thread, question))).rejects.toMatchObject({ kind: 'undeliverable' });
    expect(server.calls.filter(({ code }) => code === 50_013)).toHaveLength(2);
  });
});
