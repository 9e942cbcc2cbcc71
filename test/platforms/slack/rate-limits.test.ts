/** What becomes of the rate limits after a 429, and after answers that end early. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { answersTo, askIn, connect, fresh, GENERAL, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
afterEach(async () => {
  vi.useRealTimers();
  await connected.close();
});

const DONE = view({ state: 'done', text: 'The whole answer.' });
const callsOf = (method: string) => connected.server.calls.filter((call) => call.method === method);

async function answerIn(channel: string) {
  const question = askIn(connected.server, '@footnote why?', channel);
  const reply = unpaced(connected.app.platform, question, fresh().start);
  await reply.show(DONE);
  await reply.close();
  expect(answersTo(connected.server, question)).toMatchObject([{ text: 'The whole answer.' }]);
}

describe('a 429 on chat.postMessage', () => {
  test('stops further posts into that channel for as long as Slack asks, and into no other', async () => {
    connected = await connect();
    const { server } = connected;
    server.fault('chat.postMessage', { status: 429, retryAfter: 2 });
    const refused = answerIn(GENERAL);
    await vi.waitFor(() => expect(callsOf('chat.postMessage')[0]?.status).toBe(429));
    const before = performance.now();
    // Once this later call is answered, the client has read the refusal of the earlier one, too.
    await answerIn('C000RANDOM');
    expect(performance.now() - before).toBeLessThan(1_500);
    await Promise.all([refused, answerIn(GENERAL), answerIn(GENERAL)]);
    expect(performance.now() - before).toBeGreaterThan(1_500);
    expect(callsOf('chat.postMessage').filter(({ insideRetryAfter }) => insideRetryAfter)).toEqual([]);
    expect(callsOf('chat.postMessage')).toHaveLength(5);
  });

  test.each([
    ['chat.update', 'chat.startStream'],
    ['chat.stopStream', null],
  ])('%s: the same for the whole workspace', async (method, switchedOff) => {
    connected = await connect();
    const { server, app } = connected;
    if (switchedOff) server.fault(switchedOff, { error: 'unknown_method' });
    const begin = async (channel: string) => {
      const reply = unpaced(app.platform, askIn(server, '@footnote why?', channel), fresh().start);
      await reply.show(view({ text: 'The whole ' }));
      return reply;
    };
    const [first, second] = [await begin(GENERAL), await begin('C000RANDOM')];
    server.fault(method, { status: 429, retryAfter: 1 });
    const refused = first.show(DONE);
    await vi.waitFor(() => expect(callsOf(method)[0]?.status).toBe(429));
    await Promise.all([refused, second.show(DONE)]);
    expect(callsOf(method).filter(({ insideRetryAfter }) => insideRetryAfter)).toEqual([]);
    expect(callsOf(method).map(({ status }) => status)).toEqual([429, 200, 200]);
  });
});

describe('answers that end without the call that was set aside for their end', () => {
  const WINDOW_MS = 61_000;

  test('leave room for as many streams as before', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    connected = await connect();
    const { server, app } = connected;
    for (let i = 0; i < 40; i++) {
      if (i % 20 === 0) vi.advanceTimersByTime(WINDOW_MS);
      const reply = unpaced(app.platform, askIn(server), fresh().start);
      await reply.show(view({ text: 'The beginning. ' }));
      await reply.close();
    }
    expect(callsOf('chat.startStream')).toHaveLength(40);
    expect(callsOf('chat.postMessage')).toEqual([]);
  });

  test('leave room for as many edited messages as before', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    connected = await connect();
    const { server, app } = connected;
    server.fault('chat.startStream', { error: 'unknown_method' });
    for (let i = 0; i < 70; i++) {
      vi.advanceTimersByTime(WINDOW_MS);
      const reply = unpaced(app.platform, askIn(server), fresh().start);
      await reply.show(view({ text: 'The beginning. ' }));
      await reply.close();
    }
    expect(callsOf('chat.postMessage')).toHaveLength(70);
  });

  test('because Slack has ended their stream give back what was set aside for that', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    connected = await connect({ streamMaxAgeMs: 0 });
    const { server, app } = connected;
    for (let i = 0; i < 30; i++) {
      vi.advanceTimersByTime(WINDOW_MS);
      const question = askIn(server);
      const reply = unpaced(app.platform, question, fresh().start);
      await reply.show(view({ text: 'The whole ' }));
      await reply.show(view({ text: 'The whole answer. ' }));
      await reply.show(DONE);
      await reply.close();
      expect(answersTo(server, question)).toMatchObject([{ text: 'The whole answer.' }]);
    }
    expect(callsOf('chat.startStream')).toHaveLength(30);
    expect(callsOf('chat.stopStream')).toEqual([]);
  });
});
