import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Platform } from '../../../src/core/ports.ts';
import type { Question } from '../../../src/core/types.ts';
import type { SlackServer } from '../../servers/slack/server.ts';
import { ADA, askIn, connect, failureOf, fresh, GENERAL, questionAt, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
let server: SlackServer;
let platform: Platform;
beforeEach(async () => {
  connected = await connect();
  ({ server } = connected);
  ({ platform } = connected.app);
});
afterEach(() => connected.close());

const GRACE = 'U0000GRACE';
const never = new AbortController().signal;

describe('marks and words', () => {
  test('a waiting question carries a clock until it is its turn', async () => {
    const question = askIn(server);
    const marks = () => server.history(GENERAL)[0]?.reactions.map(({ name }) => name);
    await platform.markWaiting(question, true);
    await platform.markWaiting(question, true);
    expect(marks()).toEqual(['clock1']);
    await platform.markWaiting(question, false);
    expect(marks()).toEqual([]);
  });

  test('a mark that cannot be set is no failure', async () => {
    server.fault('reactions.add', 'reset-before');
    await expect(platform.markWaiting(askIn(server), true)).resolves.toBeUndefined();
  });

  test('a whisper is seen by the asker alone, where they asked, and is inert', async () => {
    const question = askIn(server);
    await platform.replyPrivately(question, 'One moment <!channel>');
    // In a thread without a reply Slack would show it to nobody.
    const first = { user: ADA, channel: GENERAL, text: 'One moment &lt;!channel&gt;', threadTs: null };
    expect(server.ephemerals).toMatchObject([first]);
    expect(server.history(GENERAL)).toHaveLength(1);
    const { thread, message } = question;
    const ts = server.say({ user: ADA, channel: GENERAL, text: 'and now?', threadTs: thread?.thread ?? '' });
    await platform.replyPrivately({ ...question, message: message && { ...message, message: ts } }, 'Later');
    expect(server.ephemerals.at(-1)).toMatchObject({ text: 'Later', threadTs: thread?.thread });
  });

  test('where no whisper is possible, it becomes a reply', async () => {
    server.fault('chat.postEphemeral', { error: 'user_not_in_channel' });
    await platform.replyPrivately(askIn(server), 'One moment');
    expect(server.history(GENERAL).at(-1)).toMatchObject({ bot: true, text: 'One moment' });
  });

  test('a whisper after /ask reaches somebody where the bot is no member', async () => {
    await connected.app.listen(connected.intake, connected.researchCommands);
    server.command({ user: ADA, channel: 'C00PRIVATE', command: '/ask', text: 'why?' });
    await expect.poll(() => connected.intake.questions).toHaveLength(1);
    await platform.replyPrivately(connected.intake.questions[0] as Question, 'Invite me first.');
    expect(server.ephemerals).toMatchObject([{ user: ADA, channel: 'C00PRIVATE', text: 'Invite me first.' }]);
  });

  test('a direct message arrives in the DM', async () => {
    await platform.directMessage(server.team, ADA, 'Check the key.');
    expect(server.history('D000000ADA').map(({ text }) => text)).toEqual(['Check the key.']);
  });

  test('refused direct messages are undeliverable', async () => {
    server.fault('conversations.open', { error: 'user_disabled' });
    const failure = await failureOf(platform.directMessage(server.team, ADA, 'x'));
    expect(failure.kind).toBe('undeliverable');
  });
});

describe('readThread', () => {
  /** A thread with people, our answer, another bot, and a question at its end. */
  async function thread(): Promise<Question> {
    const root = server.say({ user: GRACE, channel: GENERAL, text: 'Is <b> bold?' });
    const first = questionAt(server.team, GENERAL, root);
    await unpaced(platform, first, fresh().start).show(view({ state: 'done', text: 'It **was**.' }));
    server.otherBot({ channel: GENERAL, text: 'Build 7 failed', threadTs: root });
    const asked = server.say({ user: ADA, channel: GENERAL, text: '@footnote and now?', threadTs: root });
    server.say({ user: GRACE, channel: GENERAL, text: 'too late', threadTs: root });
    const question = questionAt(server.team, GENERAL, asked);
    return { ...question, thread: first.thread, askedAt: Math.round(Number(asked) * 1000) };
  }

  test('gives what was said before the question, oldest first, with who said it', async () => {
    const { turns } = await platform.readThread(await thread(), null, never);
    expect(turns).toMatchObject([
      { role: 'user', author: { id: GRACE, name: null }, text: 'Is <b> bold?' },
      { role: 'assistant', author: null, text: 'It was.' },
      { role: 'user', author: { name: 'builds (bot)' }, text: 'Build 7 failed' },
    ]);
    expect(server.calls.filter(({ method }) => method === 'conversations.replies')).toHaveLength(1);
  });

  test('gives what was said since a moment, and not the question itself', async () => {
    const question = await thread();
    const whole = await platform.readThread(question, null, never);
    const since = whole.turns.at(-1)?.at ?? 0;
    expect((await platform.readThread(question, since, never)).turns.at(-1)).toEqual(whole.turns.at(-1));
    expect((await platform.readThread(question, since + 1, never)).turns).toEqual([]);
  });

  test.each([{ error: 'missing_scope' }, { status: 429, retryAfter: 30 }, 'reset-before'] as const)(
    'does without where it cannot be read: %j',
    async (fault) => {
      const question = await thread();
      server.fault('conversations.replies', fault, 9);
      expect(await platform.readThread(question, null, never)).toEqual({ turns: [], isCut: false });
    },
  );

  test('of a thread with more messages than a call gives, reads the root and the newest', async () => {
    const root = server.say({ user: GRACE, channel: GENERAL, text: 'the root' });
    for (let i = 0; i < 1_100; i++)
      server.say({ user: GRACE, channel: GENERAL, text: `reply ${i}`, threadTs: root });
    const asked = server.say({ user: ADA, channel: GENERAL, text: '@footnote?', threadTs: root });
    const question = {
      ...questionAt(server.team, GENERAL, asked),
      thread: questionAt(server.team, GENERAL, root).thread,
    };
    const { turns, isCut } = await platform.readThread(question, null, never);
    expect(isCut).toBe(true);
    expect(turns[0]?.text).toBe('the root');
    expect(turns.at(-1)?.text).toBe('reply 1099');
    expect(turns).toHaveLength(201);
    expect(server.calls.filter(({ method }) => method === 'conversations.replies')).toHaveLength(2);
  });
});
