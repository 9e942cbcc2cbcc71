/** Slack takes a call and never answers it: nobody waits longer than the limit, and the answer is there whole and once. */
import { describe, expect, test } from 'vitest';
import { researchView } from '../../contracts/research-messages.ts';
import type { Fault } from '../../servers/slack/types.ts';
import { commanded } from './research-side.ts';
import { ADA, answersTo, askIn, connect, fresh, GENERAL, openApp, unpaced, view } from './setup.ts';

/** A call is given up after 10 s; what follows is answered at once, or after some seconds on a busy machine. */
const LONGEST_MS = 25_000;
const TEXTS = ['One. ', 'One. Two. ', 'One. Two. Three. '];
const WHOLE = 'One. Two. Three. Four.';

/** What answers are written with where there are no native streams. */
const WITHOUT_STREAMS = new Set(['chat.postMessage', 'chat.update']);

type Connected = Awaited<ReturnType<typeof connect>>;

/** Runs against a stand-in of its own, and checks that a call hung and that nobody waited for it longer than the limit. */
async function withinLimit(run: (connected: Connected) => Promise<void>): Promise<void> {
  const connected = await connect();
  try {
    const before = performance.now();
    await run(connected);
    expect(performance.now() - before).toBeLessThan(LONGEST_MS);
    expect(connected.server.calls.some(({ result }) => /hang/.test(result))).toBe(true);
  } finally {
    await connected.close();
  }
}

describe.concurrent('a call that is never answered', () => {
  test.each<readonly [string, Fault]>([
    ['chat.startStream', 'hang'],
    ['chat.startStream', 'commit-then-hang'],
    ['chat.appendStream', 'hang'],
    ['chat.appendStream', 'commit-then-hang'],
    ['chat.stopStream', 'hang'],
    ['chat.stopStream', 'commit-then-hang'],
    ['chat.postMessage', 'hang'],
    ['chat.postMessage', 'commit-then-hang'],
    ['chat.update', 'hang'],
    ['chat.update', 'commit-then-hang'],
    ['assistant.threads.setStatus', 'hang'],
    ['agents.sessions.setStatus', 'commit-then-hang'],
  ])('%s: %s', async (method, fault) => {
    await withinLimit(async ({ server, app }) => {
      server.fault(method, fault);
      if (WITHOUT_STREAMS.has(method)) server.fault('chat.startStream', { error: 'unknown_method' });
      const question = askIn(server);
      const reply = unpaced(app.platform, question, fresh().start);
      await reply.show(view({ state: 'searching', status: 'is searching the web…' }));
      for (const text of TEXTS) await reply.show(view({ text }));
      await reply.show(view({ state: 'done', text: WHOLE }));
      await reply.close();
      expect(answersTo(server, question)).toMatchObject([{ text: WHOLE, streaming: false }]);
    });
  });

  test.each(['hang', 'commit-then-hang'] as const)('the root of an /ask: %s', async (fault) => {
    await withinLimit(async ({ server, app }) => {
      server.fault('chat.postMessage', fault);
      const reply = unpaced(app.platform, commanded(server), fresh().start);
      await reply.show(view({ state: 'done', text: WHOLE }));
      await reply.close();
      const roots = server.history(GENERAL).filter(({ bot, threadTs }) => bot && threadTs === null);
      expect(roots).toHaveLength(1);
      expect(server.history(GENERAL, roots[0]?.ts).at(-1)).toMatchObject({ text: WHOLE });
    });
  });

  test('looking for what an earlier attempt has posted', async () => {
    await withinLimit(async ({ server, app }) => {
      const question = askIn(server);
      const first = unpaced(app.platform, question, fresh().start);
      await first.show(view({ text: TEXTS[0] ?? '' }));
      const second = unpaced((await openApp(server)).platform, question, fresh(2).start);
      server.fault('conversations.replies', 'hang');
      await second.show(view({ state: 'done', text: WHOLE }));
      await second.close();
      expect(answersTo(server, question)).toMatchObject([{ text: WHOLE, streaming: false }]);
    });
  });

  test('what was said in the thread before', async () => {
    await withinLimit(async ({ server, app }) => {
      const question = { ...askIn(server), message: null };
      server.fault('conversations.replies', 'hang');
      expect(await app.platform.readThread(question, null, new AbortController().signal)).toEqual({
        turns: [],
        isCut: false,
      });
    });
  });

  test.each(['files.getUploadURLExternal', 'files.completeUploadExternal'])(
    'the upload of a report: %s',
    async (method) => {
      await withinLimit(async ({ server, app }) => {
        const question = askIn(server);
        server.fault(method, 'commit-then-hang');
        const noticed = await app.platform.notify({
          question,
          place: { type: 'channel' },
          lead: 'Research finished in 6 min',
          view: researchView({ text: 'It was so.' }),
          file: { name: 'report.md', text: '# why?\n' },
          isRepeat: false,
        });
        expect(noticed).toMatchObject({ type: 'posted', hasFile: true });
        expect(server.history(GENERAL).filter(({ bot }) => bot)).toHaveLength(1);
      });
    },
  );

  test('a private word by response_url reaches the asker another way', async () => {
    await withinLimit(async ({ server, app }) => {
      const question = {
        ...askIn(server),
        delivery: { responseUrl: server.apiUrl.replace('/api/', '/response/x') },
      };
      server.fault('response_url', 'hang');
      await app.platform.replyPrivately(question, 'One moment.');
      expect(server.ephemerals).toMatchObject([{ user: ADA, text: 'One moment.' }]);
    });
  });
});
