import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  act,
  answer,
  answersIn,
  ask,
  connected,
  freshDirectory,
  openSandbox,
  PLATFORMS,
  removeDirectory,
  someone,
  stateOf,
  textOf,
  until,
} from './page-client.ts';
import type { Sandbox } from './sandbox.ts';

describe('the sandbox', { timeout: 90_000 }, () => {
  const directory = freshDirectory();
  let sandbox: Sandbox;
  let url: string;
  beforeAll(async () => {
    sandbox = await openSandbox(directory);
    url = sandbox.url;
  });
  afterAll(async () => {
    await sandbox?.close();
    removeDirectory(directory);
  });

  test.concurrent.each(PLATFORMS)(
    'shows an answer on %s grow in at least three steps, with sources',
    async (platform) => {
      const seen = watchTexts(url, platform);
      const thread = await ask(url, platform, 'How did the tidal plants do?', null);
      const final = await answer(url, platform, thread);
      const steps = await seen.stop(thread);
      expect(steps.length).toBeGreaterThanOrEqual(3);
      expect(steps.map((step) => step.length)).toEqual(
        steps.map((step) => step.length).sort((a, b) => a - b),
      );
      expect(textOf(final)).toContain('You asked: “How did the tidal plants do?”');
      expect(textOf(final)).toContain('https://energy.example.org/');

      await ask(url, platform, 'What did I ask before?', thread);
      const followUp = await answer(url, platform, thread, 2);
      expect(textOf(followUp)).toContain('1. “');
      expect(textOf(followUp)).toContain('How did the tidal plants do?');
    },
  );

  test('starts the service again after it was killed in the middle of an answer, and the answer is finished', async () => {
    const thread = await ask(url, 'slack', 'How did the tidal plants do?', null);
    await until(async () => answersIn((await stateOf(url)).slack, thread).length > 0);
    await act(url, { do: 'break', what: 'kill' });
    await until(async () => (await stateOf(url)).service.state === 'down');
    expect((await stateOf(url)).service.note).toContain('SIGKILL');
    await connected(sandbox);
    expect((await stateOf(url)).service.starts).toBe(2);
    expect(textOf(await answer(url, 'slack', thread))).toContain('The next figures are due in spring');
  });

  test.each(PLATFORMS)(
    'offers Retry on %s when the answer is broken on purpose, and it works',
    async (platform) => {
      await act(url, { do: 'break-answer', fault: 'cut' });
      const thread = await ask(url, platform, 'How did the tidal plants do?', null);
      const retry = { label: 'Retry' };
      await until(async () => {
        const pieces = answersIn((await stateOf(url))[platform], thread).flatMap((message) => message.pieces);
        const buttons = pieces.flatMap((piece) => (piece.type === 'buttons' ? piece.buttons : []));
        return (
          Object.assign(
            retry,
            buttons.find(({ label }) => label === 'Retry'),
          ) && 'action' in retry
        );
      });
      const side = (await stateOf(url))[platform];
      const message = answersIn(side, thread).at(-1);
      const press = { do: 'press', platform, ...someone(side), thread, message: message?.id, value: null };
      await act(url, { ...press, ...retry });
      await until(async () => {
        const answers = answersIn((await stateOf(url))[platform], thread);
        return answers.some((one) => textOf(one).includes('The next figures are due in spring'));
      });
    },
  );

  test.concurrent.each(PLATFORMS)('takes /ask and "Ask about this" on %s', async (platform) => {
    const place = { platform, ...someone((await stateOf(url))[platform]), thread: null };
    await act(url, { do: 'command', command: 'ask', ...place, text: 'What does a megawatt cost?' });
    const isAnswered = async (words: string): Promise<boolean> =>
      (await stateOf(url))[platform].messages.some(
        (message) => message.author.kind === 'bot' && textOf(message).includes(words),
      );
    await until(() => isAnswered('You asked: “What does a megawatt cost?”'));
    const say = { do: 'say', ...place, mention: false, repliesTo: null };
    const message = await act(url, { ...say, text: 'The sea is made of soup.' });
    await act(url, { do: 'about', ...place, message });
    await until(() => isAnswered('The sea is made of soup.'));
  });

  test('keeps the conversations over a restart, and the service still knows them', async () => {
    const threads = await Promise.all(
      PLATFORMS.map((platform) => ask(url, platform, 'How do tides keep time?', null)),
    );
    await Promise.all(PLATFORMS.map((platform, index) => answer(url, platform, threads[index] ?? '')));
    const before = await stateOf(url);
    await sandbox.close();
    sandbox = await openSandbox(directory);
    const after = await stateOf(sandbox.url);
    for (const [index, platform] of PLATFORMS.entries()) {
      const thread = threads[index] ?? '';
      expect(after[platform].messages).toEqual(before[platform].messages);
      await ask(sandbox.url, platform, 'What did I ask before?', thread);
      expect(textOf(await answer(sandbox.url, platform, thread, 2))).toContain('How do tides keep time?');
    }
  });
});

/** Collects every text the first answer in a thread had, as the page's stream of changes shows it. */
function watchTexts(url: string, platform: 'slack' | 'discord') {
  const ending = new AbortController();
  const texts = new Map<string, string[]>();
  const reading = (async () => {
    const response = await fetch(`${url}/api/changes`, { signal: ending.signal });
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (rest + chunk).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        if (!event.startsWith('event: changes')) continue;
        // What the page reads, too: `SideChanges`.
        const changes = JSON.parse(event.slice(event.indexOf('data: ') + 6)) as Record<
          typeof platform,
          { changed: Parameters<typeof textOf>[0][] }
        >;
        for (const message of changes[platform].changed) {
          if (message.author.kind !== 'bot' || message.thread === null) continue;
          const known = texts.get(message.thread) ?? [];
          const text = message.pieces.find((piece) => piece.type === 'text')?.text ?? '';
          if (known.at(-1) !== text) texts.set(message.thread, [...known, text]);
        }
      }
    }
  })().catch(() => undefined); // it ends by our abort
  return {
    async stop(thread: string): Promise<readonly string[]> {
      ending.abort();
      await reading;
      return texts.get(thread) ?? [];
    },
  };
}
