import { afterEach, describe, expect, test, vi } from 'vitest';
import { startLiveReply } from '../../../src/core/answering/live-reply.ts';
import { sleep } from '../../../src/core/concurrency.ts';
import type { Question, View } from '../../../src/core/types.ts';
import { silentLog } from './log.ts';
import { answersTo, askIn, connect, fresh, source, unpaced, view } from './setup.ts';

let connected: Awaited<ReturnType<typeof connect>>;
afterEach(() => connected.close());

const WORDS = Array.from({ length: 120 }, (_, i) => `word${i} [1] `);
const SOURCES = [source(1)];

/** Writes one answer of 120 words as a model would, over some three seconds, through the core's own live reply. */
async function answer(question: Question, signal: AbortSignal): Promise<void> {
  const reply = connected.app.platform.reply(question, fresh().start);
  const live = startLiveReply({ reply, open: reply.open, log: silentLog, signal, lost: () => {} });
  live.update(view({ state: 'searching', status: 'is searching the web…' }));
  let text = '';
  for (const word of WORDS) {
    text += word;
    live.update(view({ text, sources: SOURCES }));
    await sleep(25);
  }
  await live.finish({ ...view({ text, sources: SOURCES }), state: 'done', footer: 'sonar' } satisfies View);
  await reply.close();
}

describe("Slack's real limits", () => {
  test('30 answers at once are all complete, without a single refusal', { timeout: 60_000 }, async () => {
    connected = await connect({ limits: 'real', latencyMs: 20 });
    const { server } = connected;
    const channels = ['C00GENERAL', 'C000RANDOM', 'C0PARTNERS'];
    const questions = Array.from({ length: 30 }, (_, i) => askIn(server, '@footnote why?', channels[i % 3]));
    const signal = new AbortController().signal;
    await Promise.all(questions.map((question) => answer(question, signal)));

    expect(server.calls.filter(({ status, insideRetryAfter }) => status === 429 || insideRetryAfter)).toEqual(
      [],
    );
    for (const question of questions) {
      const [message, ...others] = answersTo(server, question);
      expect(others).toEqual([]);
      expect(message?.streaming).toBe(false);
      for (let i = 0; i < WORDS.length; i++)
        expect(message?.text).toContain(`word${i} [1](https://example.org/1)`);
    }
    const used = (method: string) => server.calls.filter((call) => call.method === method).length;
    expect(used('chat.startStream')).toBe(20);
    expect(used('chat.stopStream')).toBe(20);
  });

  test('no stream is begun that could not be ended: twenty that last leave room for none', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    connected = await connect();
    const { server, app } = connected;
    const starts = () => server.calls.filter(({ method }) => method === 'chat.startStream').length;
    const begin = async (channel: string) => {
      const reply = unpaced(app.platform, askIn(server, '@footnote why?', channel), fresh().start);
      await reply.show(view({ text: 'The beginning. ' }));
      return reply;
    };
    const lasting = [];
    for (let i = 0; i < 20; i++) lasting.push(await begin('C00GENERAL'));
    expect(starts()).toBe(20);
    vi.advanceTimersByTime(61_000);
    const late = await begin('C000RANDOM');
    expect(starts()).toBe(20);
    expect(server.calls.at(-1)?.method).toBe('chat.postMessage');
    for (const reply of [...lasting, late]) {
      await reply.show(view({ state: 'done', text: 'The beginning. The end.' }));
      await reply.close();
    }
    vi.useRealTimers();
    expect(server.calls.filter(({ method }) => method === 'chat.stopStream')).toHaveLength(20);
  });

  test('a lone answer is written smoothly', async () => {
    connected = await connect({ limits: 'real' });
    const { server } = connected;
    await answer(askIn(server), new AbortController().signal);
    expect(server.calls.filter(({ method }) => method === 'chat.appendStream').length).toBeGreaterThanOrEqual(
      3,
    );
  });
});
