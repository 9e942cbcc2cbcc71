/** What the model reads of every kind of message on Slack, as it goes over the wire to it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../../servers/perplexity/server.ts';
import { NO_PERSONAL_LIMITS, type ServiceProcess, startService } from '../../support/service.ts';
import { type SlackSide, startSlackSide } from '../../support/sides.ts';
import { ADA, GENERAL } from './setup.ts';
import { ALERTS } from './shapes/alerts.ts';
import { CARDS } from './shapes/cards.ts';
import { REPORTS } from './shapes/reports.ts';
import type { Shape } from './shapes/shape.ts';
import { SHARING } from './shapes/sharing.ts';
import { WRITING } from './shapes/writing.ts';

const DM = 'D000000ADA';
const PATIENCE_MS = 20_000;
const BATCH = 10;

let slack: SlackSide;
let perplexity: PerplexityServer;
let service: ServiceProcess;

beforeAll(async () => {
  [slack, perplexity] = await Promise.all([startSlackSide(), startPerplexityServer()]);
  service = await startService({ ...slack.connection, perplexity, env: NO_PERSONAL_LIMITS });
}, 60_000);
afterAll(async () => {
  await service.kill('SIGKILL');
  await Promise.all([slack.close(), perplexity.close()]);
});

/** What each of so many requests told the model, but for its task, when somebody did this. */
async function askedBy(count: number, act: () => unknown): Promise<readonly string[]> {
  const before = perplexity.requests.length;
  act();
  await expect.poll(() => perplexity.requests.length, { timeout: PATIENCE_MS }).toBe(before + count);
  return perplexity.requests.slice(before).map(({ body }) => {
    const { messages } = body as { readonly messages: readonly { role: string; content: string }[] };
    return messages.flatMap(({ role, content }) => (role === 'system' ? [] : [content])).join('\n');
  });
}

/** The phrases of these shapes that stand not once in the request that is about them. */
function faults(shapes: readonly Shape[], requests: readonly string[]): readonly object[] {
  return shapes.flatMap(({ name, words, files = [] }) => {
    const request = requests.find((one) => one.includes(words[0] ?? '')) ?? '';
    const counts = [...words, ...files].map((phrase) => ({
      name,
      phrase,
      count: request.split(phrase).length - 1,
      request,
    }));
    return counts.filter(({ count }) => count !== 1);
  });
}

const post = ({ message }: Shape, threadTs?: string) =>
  slack.server.post({ channel: GENERAL, message, ...(threadTs && { threadTs }) });
const byPeople = [...WRITING, ...SHARING];
const all = [...byPeople, ...ALERTS, ...REPORTS, ...CARDS];
// Without text there is no mention.
const mentioning = byPeople.filter(({ message }) => message['text'] !== '' || !message['blocks']);

/** So many at a time, each under the name of its first. */
function batches(shapes: readonly Shape[]): readonly (readonly [first: string, batch: readonly Shape[]])[] {
  return Array.from({ length: Math.ceil(shapes.length / BATCH) }, (_, n) => {
    const batch = shapes.slice(n * BATCH, (n + 1) * BATCH);
    return [batch[0]?.name ?? '', batch] as const;
  });
}

test('there are at least 60 of them', () => {
  expect(new Set(all.map(({ name }) => name)).size).toBeGreaterThanOrEqual(60);
});

test.each(batches(all))('in a thread: %s and what follows', async (_first, shapes) => {
  const threadTs = slack.server.say({ user: ADA, channel: GENERAL, text: 'A root' });
  for (const shape of shapes) post(shape, threadTs);
  const requests = await askedBy(1, () =>
    slack.server.say({ user: ADA, channel: GENERAL, text: '@footnote explain', threadTs }),
  );
  expect(faults(shapes, requests)).toEqual([]);
});

test.each(batches(all))('pointed at: %s and what follows', async (_first, shapes) => {
  const requests = await askedBy(shapes.length, () => {
    for (const ts of shapes.map((shape) => post(shape)))
      slack.server.shortcut({ user: ADA, channel: GENERAL, ts, callbackId: 'ask_about_message' });
  });
  expect(faults(shapes, requests)).toEqual([]);
});

test.each(batches(all))('forwarded in a direct message: %s and what follows', async (_first, shapes) => {
  const of = shapes.map((shape) => ({ channel: GENERAL, ts: post(shape) }));
  const requests = await askedBy(1, () => slack.server.share({ user: ADA, channel: DM, text: '', of }));
  expect(faults(shapes, requests)).toEqual([]);
});

test.each(batches(mentioning))('as a mention: %s and what follows', async (_first, shapes) => {
  const requests = await askedBy(shapes.length, () => {
    for (const { message } of shapes) {
      const text = `<@${slack.server.botUser}> ${String(message['text'])}`;
      slack.server.post({ channel: GENERAL, message: { ...message, text } });
    }
  });
  expect(faults(shapes, requests)).toEqual([]);
});
