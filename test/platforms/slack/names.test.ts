/** The names of people: looked up over the wire, kept, and never a reason to fail. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { ADA, allAcknowledged, connect, GENERAL, listening, questionAt } from './setup.ts';

const GRACE = 'U0000GRACE';

async function connected(options: Parameters<typeof connect>[0] = {}, log?: Parameters<typeof connect>[1]) {
  const { server, app, close } = await connect(options, log);
  onTestFinished(close);
  const nameOf = (person: string) => app.platform.nameOf(server.team, person);
  const asked = () => server.calls.filter(({ method }) => method === 'users.info').length;
  return { server, nameOf, asked };
}

test('a name is looked up once, also for several who ask at the same time', async () => {
  const { nameOf, asked } = await connected();
  expect(await Promise.all([nameOf(GRACE), nameOf(GRACE)])).toEqual(['grace', 'grace']);
  expect(await nameOf(GRACE)).toBe('grace');
  expect(asked()).toBe(1);
});

test('somebody from outside has a name, and somebody unknown has none', async () => {
  const { nameOf, asked } = await connected();
  expect(await nameOf('U00000OTTO')).toBe('otto');
  expect(await nameOf('U0NOBODY00')).toBeNull();
  expect(await nameOf('U0NOBODY00')).toBeNull();
  expect(asked()).toBe(2);
});

test.each([{ status: 503 }, { status: 429, retryAfter: 30 }, 'html'] as const)(
  'after a failure (%j) there is no name, and Slack is not asked again at once',
  async (fault) => {
    const { server, nameOf, asked } = await connected();
    server.fault('users.info', fault);
    expect(await nameOf(GRACE)).toBeNull();
    expect(await nameOf(GRACE)).toBeNull();
    expect(asked()).toBe(1);
  },
);

test('without the scope there are no names; it is told once', async () => {
  const [warn, error] = [vi.fn(), vi.fn()];
  const log = { trace() {}, debug() {}, info() {}, error, warn, child: () => log };
  const { nameOf, asked } = await connected({ scopes: [] }, log);
  expect([await nameOf(GRACE), await nameOf('U000000ADA')]).toEqual([null, null]);
  expect(asked()).toBe(1);
  // The token is good for everything else.
  expect(error).not.toHaveBeenCalled();
  expect(warn.mock.calls.map(([, message]) => message)).toEqual([expect.stringContaining('users:read')]);
});

test('no more names are asked for than the rate limit allows', async () => {
  const { server, nameOf } = await connected({ limits: 'real' });
  const names = await Promise.all(Array.from({ length: 150 }, (_, n) => nameOf(`U0NOBODY${n}`)));
  expect(names).toHaveLength(150);
  expect(server.calls.filter(({ status }) => status === 429)).toEqual([]);
});

test('somebody mentioned has a name the second time, and no message waits for it', async () => {
  const { server, intake } = await listening();
  const ask = async (text: string) => {
    server.say({ user: ADA, channel: GENERAL, text });
    await allAcknowledged(server);
    return intake.questions.at(-1)?.text;
  };
  server.fault('users.info', { slowMs: 1_000 });
  expect(await ask('@footnote is @grace right?')).toBe('is @U0000GRACE right?');
  const asked = () => server.calls.filter(({ method }) => method === 'users.info');
  await vi.waitFor(() => expect(asked().map(({ result }) => result)).toEqual(['ok']), 3_000);
  await vi.waitFor(
    async () => expect(await ask('@footnote is @grace right?')).toBe('is @grace right?'),
    3_000,
  );
  expect(asked()).toHaveLength(1);
});

test('a message that mentions hundreds has some of them looked up', async () => {
  const { server, intake, app } = await listening();
  const people = Array.from({ length: 300 }, (_, n) => `<@U0NOBODY${n}>`).join(' ');
  server.say({ user: ADA, channel: GENERAL, text: `@footnote ${people}` });
  await allAcknowledged(server);
  expect(intake.questions).toHaveLength(1);
  // What was asked before this call has arrived before it.
  await app.platform.markWaiting(intake.questions[0]!, true);
  // Twice, since a mention comes as two events.
  expect(server.calls.filter(({ method }) => method === 'users.info').length).toBeLessThanOrEqual(20);
});

test('those who speak in a thread have their names once they are looked up', async () => {
  const { server, app } = await listening();
  const thread = server.say({ user: GRACE, channel: GENERAL, text: 'A root' });
  const ts = server.say({ user: ADA, channel: GENERAL, text: '@footnote why?', threadTs: thread });
  const question = questionAt(server.team, GENERAL, ts);
  const inThread = { ...question, thread: { ...question.thread!, thread } };
  const read = async () =>
    JSON.stringify(await app.platform.readThread(inThread, null, new AbortController().signal));
  expect(await read()).toContain('"name":null');
  await app.platform.nameOf(server.team, GRACE);
  expect(await read()).toContain('"name":"grace"');
});
