import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type Place,
  type Side,
  type SlackSide,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';

const TIER_0 = { agent: 50, agentSecond: 1, chat: 50 };

function startLimited(side: Side, perplexity: PerplexityServer): Promise<ServiceProcess> {
  const env = { PERPLEXITY_REQUESTS_PER_SECOND: '', PERPLEXITY_REQUESTS_PER_MINUTE: '' };
  return startService({ ...side.connection, perplexity, env });
}

/** With the default settings, and the limits of a new key: `npm run chaos -- --only model-rate` has more of it. */
describe('questions that come faster than the model may be asked', () => {
  let side: SlackSide;
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    side = await startSlackSide();
    perplexity = await startPerplexityServer({ api: 'agent-only', limits: TIER_0 });
    service = await startLimited(side, perplexity);
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([side.close(), perplexity.close()]);
  });

  const agentRequests = () => perplexity.requests.filter(({ path }) => path.startsWith('/v1/'));
  const whole = (place: Place): string =>
    side
      .posts(place)
      .map(({ text }) => text)
      .join('\n');

  test('are all answered, within the limits, and read their place meanwhile', async () => {
    const places = Array.from({ length: 7 }, (_, n) => side.mention(`question ${n} of a rush`, n % 3));
    await until(side, 'all answers', 35_000, () => places.every((place) => areEnded(side.posts(place), 1)));
    expect(places.map(whole).filter((text) => text.includes('⚠'))).toEqual([]);
    // On a busy machine a request may come late and the next one too early: it waits once more.
    expect(agentRequests().filter(({ status }) => status === 429).length).toBeLessThanOrEqual(1);
    expect(agentRequests().filter(({ status }) => status === 200)).toHaveLength(7);
    const statuses = side.server.statuses.map(({ status }) => status);
    expect(statuses).toContainEqual("is waiting for Perplexity's rate limit · 3rd in line…");
    expect(statuses.filter((status) => status.includes('busy'))).toEqual([]);
  });

  test('stop waiting when their asker stops them, and nothing is asked', async () => {
    const answered = () => agentRequests().filter(({ status }) => status === 200).length;
    const before = answered();
    const places = Array.from({ length: 5 }, (_, n) => side.mention(`question ${n} of another rush`, n % 3));
    const last = places[4]!;
    const isWaiting = (): boolean => side.server.status(last.channel, last.thread).includes('rate limit');
    await until(side, 'the wait of the last', 15_000, isWaiting);
    side.stop(last, 4 % 3);
    await until(side, 'the stopped answer', 10_000, () => whole(last).includes('⏹ Stopped'));
    const others = places.slice(0, 4);
    await until(side, 'the others', 20_000, () => others.every((place) => areEnded(side.posts(place), 1)));
    expect(answered()).toBe(before + 4);
  });
});

describe('a key that has fewer requests than any tier', () => {
  test('is asked again when the responses say so, and refused nothing', async () => {
    const side = await startSlackSide();
    const perplexity = await startPerplexityServer({ limits: { chat: 6 }, counting: 'leaky' });
    const service = await startLimited(side, perplexity);
    try {
      const places = Array.from({ length: 6 }, (_, n) => side.mention(`question ${n} at once`, n % 3));
      await until(side, 'six answers', 20_000, () => places.every((one) => areEnded(side.posts(one), 1)));
      const last = side.mention('and one more');
      await until(side, 'the last answer', 20_000, () => areEnded(side.posts(last), 1));
      const answers = perplexity.requests.filter(({ path }) => path === '/chat/completions');
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 200));
      expect(side.server.statuses.some(({ status }) => status.includes('is waiting for'))).toBe(true);
    } finally {
      await service.stop();
      await Promise.all([side.close(), perplexity.close()]);
    }
  });
});

describe('a question on Discord that has to wait', () => {
  test('says so in the message that becomes the answer, and can be stopped there', async () => {
    const side = await startDiscordSide();
    const perplexity = await startPerplexityServer({ api: 'agent-only', limits: TIER_0 });
    const service = await startLimited(side, perplexity);
    try {
      const places = Array.from({ length: 7 }, (_, n) => side.mention(`question ${n} of a rush`, n % 3));
      const [waiting, stopped] = [places[5]!, places[6]!];
      const shown = (place: Place) => side.posts(place).map(({ text }) => text);
      const isTold = (place: Place): boolean => WAITING.test(shown(place).join('\n'));
      await until(side, 'the waits', 15_000, () => isTold(waiting) && isTold(stopped));
      side.stop(stopped, 6 % 3);
      await until(side, 'the stopped answer', 10_000, () => shown(stopped).join().includes('⏹ Stopped'));
      const answered = places.slice(0, 6);
      await until(side, 'the answers', 30_000, () => answered.every((one) => areEnded(side.posts(one), 1)));
      for (const place of places) {
        expect(shown(place)).toHaveLength(1);
        expect(shown(place)).not.toContainEqual(expect.stringContaining('rate limit'));
      }
      expect(
        perplexity.requests.filter(({ path, status }) => path === '/v1/responses' && status === 200),
      ).toHaveLength(6);
    } finally {
      await service.stop();
      await Promise.all([side.close(), perplexity.close()]);
    }
  });
});

const WAITING = /^-# Waiting for Perplexity's rate limit · \d+(?:st|nd|rd|th) in line…$/;
