import { expect, test, vi } from 'vitest';
import { startBolt, startStandIn } from './setup.ts';

test('a Bolt app hears a mention, shows a status, streams an answer into the thread and finishes it', async () => {
  const { slack, channel, person } = await startStandIn({ limits: 'real', latencyMs: 4 });
  const app = await startBolt(slack, 2);
  app.event('app_mention', async ({ sayStream, setStatus }) => {
    await setStatus('is searching the web…');
    const stream = sayStream({ buffer_size: 1 });
    for (const text of ['A tide ', 'is the rise ', 'of the sea.'])
      await stream.append({ markdown_text: text });
    await stream.stop({ blocks: [{ type: 'context', elements: [{ type: 'mrkdwn', text: '3 sources' }] }] });
  });
  const seen = new Set<string>();
  slack.onChange(() => {
    const answer = slack.history(channel('general')).find((message) => message.bot);
    if (answer !== undefined) seen.add(answer.text);
  });
  const root = slack.say({
    user: person('ada'),
    channel: channel('general'),
    text: '@footnote what is a tide?',
  });
  await vi.waitFor(() => expect(slack.history(channel('general'), root).at(-1)?.text).toContain('3 sources'));
  expect([...seen]).toEqual([
    'A tide ',
    'A tide is the rise ',
    'A tide is the rise of the sea.',
    'A tide is the rise of the sea.\n3 sources',
  ]);
  expect(slack.statuses).toMatchObject([{ threadTs: root, status: 'is searching the web…' }]);
  expect(slack.status(channel('general'), root)).toBe('');
  expect(slack.calls.filter((call) => call.result !== 'ok')).toEqual([]);
  await vi.waitFor(() => expect(slack.unacked()).toEqual([]));
});
