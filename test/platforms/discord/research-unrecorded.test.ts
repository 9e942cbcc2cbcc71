import { expect, test } from 'vitest';
import type { MessageRef, Question, View } from '../../../src/core/types.ts';
import { cardView, job, noticeIn, openBoard, POST, show, started } from './research-setup.ts';
import { written } from './setup.ts';

const NEVER = new AbortController().signal;
const NOTHING_TAKEN = async (): Promise<boolean> => false;
const ANSWER = '00000000-0000-5000-8000-00000000000f';

/** A question that was asked in the thread of a job, earlier than the job ended. */
function askedIn(question: Question, channel: string, message: string): Question {
  const { research: _, ...asked } = question;
  return { ...asked, id: ANSWER, channel, message: { ...question.message!, channel, message } };
}

function answer(text: string, state: View['state'] = 'done'): View {
  return { ...cardView(text), state };
}

test('an answer taken up again leaves cards and notifications alone that nobody has recorded yet', async () => {
  const opened = await openBoard();
  const { server, app, board, later } = opened;
  const { question, thread } = await started(opened);
  const message = server.say({ user: 'ada', channel: thread.channel, content: 'And how old?' });
  const asked = askedIn(question, thread.channel, message);
  const second = { ...question, id: '00000000-0000-5000-8000-00000000000b', channel: thread.channel };
  await show(board, second, 'R-7H3M · Queued');
  await board.notify(noticeIn(thread, question));
  const plain = { ...cardView('It was not charged.'), buttons: [] };
  await board.notify(noticeIn(thread, second, { view: plain, file: null }));
  const before = written(server, thread.channel);
  later(30);
  let messages: readonly MessageRef[] = [];
  const posted = async (all: readonly MessageRef[]): Promise<void> => void (messages = all);
  const reply = app.platform.reply(asked, { messages: [], attempt: 2, posted, isTaken: NOTHING_TAKEN });
  await reply.show(() => answer('130 years.'), NEVER);
  await reply.close();
  const after = written(server, thread.channel);
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.slice(before.length).map(({ id, content }) => [id, content])).toEqual([
    [messages[0]?.message, '130 years.'],
  ]);
});

test('an answer taken up again still finds its own words between them', async () => {
  const opened = await openBoard();
  const { server, app, board, later } = opened;
  const { question, thread } = await started(opened);
  const message = server.say({ user: 'ada', channel: thread.channel, content: 'And how old?' });
  const asked = askedIn(question, thread.channel, message);
  const start = { messages: [], isTaken: NOTHING_TAKEN, posted: async () => {} };
  const first = app.platform.reply(asked, { ...start, attempt: 1 });
  const buttons = [{ action: 'stop', label: 'Stop', question: ANSWER } as const];
  await first.show(() => ({ ...answer('Some words of it ', 'writing'), buttons }), NEVER);
  await first.close();
  await board.notify(noticeIn(thread, question));
  later(30);
  const again = app.platform.reply(asked, { ...start, attempt: 2 });
  await again.show(() => answer('130 years.'), NEVER);
  await again.close();
  expect(written(server, thread.channel).map(({ content }) => content.split('\n')[0])).toEqual([
    'R-4F2K · Queued',
    '130 years.',
    `<@${question.asker.id}> Research finished in 6 min`,
  ]);
});

test('a job taken up again leaves the answers around it alone', async () => {
  const { server, app, board, later } = await openBoard();
  const question = job(server);
  const start = { messages: [], attempt: 1, isTaken: NOTHING_TAKEN, posted: async () => {} };
  const { research: _, ...asked } = question;
  const reply = app.platform.reply({ ...asked, id: ANSWER }, start);
  const buttons = [{ action: 'research', label: 'Dig deeper', question: ANSWER } as const];
  await reply.show(
    () => ({ ...answer(`<@${question.asker.id}> Research finished in 6 min`), buttons }),
    NEVER,
  );
  await reply.close();
  const before = written(server, question.thread?.channel ?? '');
  later(30);
  const { thread, card } = await show(board, question, 'R-4F2K · Queued', { isRepeat: true });
  server.fault(POST, 'reset-before', 3);
  const notice = noticeIn(thread, question);
  await expect(board.notify(notice)).rejects.toMatchObject({ kind: 'unreachable' });
  later(30);
  await board.notify({ ...notice, isRepeat: true });
  const after = written(server, thread.channel);
  expect(after.slice(0, 1)).toEqual(before);
  expect(after).toHaveLength(3);
  expect(after[1]?.id).toBe(card?.message);
});

test('a report in messages leaves alone what we said earlier in a direct conversation, and the question restated', async () => {
  const { server, app, board, later } = await openBoard();
  const ada = server.people[0]?.id ?? '';
  await app.platform.directMessage('@me', ada, 'Check PERPLEXITY_API_KEY.');
  later(5);
  const askedAt = Date.now() + 5 * 60_000;
  const question = job(server, { in: '@ada', trigger: 'command', message: null, askedAt });
  const { thread } = await show(board, question, 'R-4F2K · Queued');
  const before = written(server, '@ada');
  expect(before.map(({ content }) => content.split('\n')[0])).toEqual([
    'Check PERPLEXITY\\_API\\_KEY.',
    'Ada asked:',
    'R-4F2K · Queued',
  ]);
  const below: Question = { ...question, thread, id: ANSWER, trigger: 'button', delivery: {} };
  const start = { messages: [], attempt: 2, isTaken: NOTHING_TAKEN, posted: async () => {} };
  const reply = app.platform.reply(below, start);
  await reply.show(() => answer('The whole report.'), NEVER);
  await reply.close();
  const after = written(server, '@ada');
  expect(after.slice(0, 3)).toEqual(before);
  expect(after[3]?.content).toBe('The whole report.');
});
