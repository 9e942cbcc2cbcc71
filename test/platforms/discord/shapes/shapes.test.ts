/** What the model's API is sent of every kind of message on Discord: through discord.js, the core and openai's client. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Model } from '../../../../src/core/ports.ts';
import { createPerplexity } from '../../../../src/perplexity/perplexity.ts';
import { quietLog } from '../../../core/fakes.ts';
import type { DiscordServer } from '../../../servers/discord/discord-server.ts';
import type { Sent } from '../../../servers/discord/saying.ts';
import { type PerplexityServer, startPerplexityServer } from '../../../servers/perplexity/server.ts';
import { channelId, createTown, mention } from '../setup.ts';
import { EMBEDS } from './embeds.ts';
import { OTHERS } from './others.ts';
import { PEOPLES } from './people.ts';
import type { Shape } from './shape.ts';

const SHAPES: readonly Shape[] = [
  ...PEOPLES.map((shape) => ({ ...shape, by: 'person' as const })),
  ...EMBEDS,
  ...OTHERS,
];

let perplexity: PerplexityServer;
let model: Model;
const town = createTown();

beforeAll(async () => {
  perplexity = await startPerplexityServer();
  const { url: baseUrl, apiKey } = perplexity;
  model = createPerplexity({ apiKey, baseUrl, api: 'chat', log: quietLog }).model;
});
afterEach(() => town.end());
afterAll(() => perplexity.close());

async function start() {
  const server = await town.server();
  await town.footnote(server, { model });
  server.nickname('grace', 'Admiral');
  return server;
}

/** What the model is sent after somebody has done this, without the marks of quotes. */
async function told(act: () => void): Promise<string> {
  const before = perplexity.requests.length;
  act();
  await vi.waitFor(() => expect(perplexity.requests.length).toBeGreaterThan(before), 5_000);
  const body = perplexity.requests.at(-1)?.body as { messages: { content: string }[] };
  return body.messages.map(({ content }) => content.replaceAll(/^> /gm, '')).join('\n');
}

/** Posts the message in a channel, where somebody has spoken before. */
function post(server: DiscordServer, { by, sent }: Shape, channel: string): string {
  const earlier = server.say({ user: 'grace', channel, content: 'Before that' });
  const ids: Record<string, string> = {
    GRACE: server.people.find(({ username }) => username === 'grace')?.id ?? '',
    READERS: server.guild.role,
    RANDOM: channelId(server, 'random'),
    SECRET: server.makeChannel('secret-plans', { isPrivate: true }),
    EARLIER: earlier,
  };
  const known = new RegExp(Object.keys(ids).join('|'), 'g');
  const filled = JSON.parse(
    JSON.stringify(sent).replaceAll(known, (name) => ids[name] ?? name),
  ) as typeof sent;
  if (by === 'person') return server.say({ content: '', ...filled, user: 'grace', channel });
  const whole: Sent = { ...filled, channel, webhook: by === 'webhook' };
  return server.otherBot(whole);
}

function expectRead(text: string, { says, hides = [] }: Shape): void {
  for (const words of says) expect(text).toContain(words);
  for (const words of hides) expect(text).not.toContain(words);
  // Lines of ours say whose words follow.
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\[.*\] (?:says|asks)/.test(line));
  expect(lines, 'nothing is told twice').toEqual([...new Set(lines)]);
}

test('there are at least sixty', () => expect(SHAPES.length).toBeGreaterThanOrEqual(60));

describe.each(SHAPES)('$name', (shape) => {
  test('is read in a thread, replied to, pointed at and forwarded', async () => {
    const server = await start();
    const thread = server.makeThread({ user: 'ada', channel: 'general', name: 'talk' });
    post(server, shape, thread);
    expectRead(
      await told(() => server.say({ user: 'ada', channel: thread, content: mention(server, 'so?') })),
      shape,
    );

    const message = post(server, shape, 'general');
    expectRead(
      await told(() =>
        server.say({ user: 'ada', channel: 'general', content: mention(server, 'so?'), replyTo: message }),
      ),
      shape,
    );
    expectRead(
      await told(() =>
        server.messageCommand({ user: 'ada', channel: 'general', message, name: 'Ask about this' }),
      ),
      shape,
    );
    if (shape.isNotForwarded) return;
    expectRead(
      await told(() => server.say({ user: 'ada', channel: '@ada', content: '', forwardOf: message })),
      shape,
    );
  });

  if (shape.by !== 'person') return;
  test('is read as a question', async () => {
    const server = await start();
    const content = mention(server, shape.sent.content ?? '');
    const asking = { ...shape, sent: { ...shape.sent, content } };
    expectRead(await told(() => post(server, asking, 'general')), shape);
  });
});
