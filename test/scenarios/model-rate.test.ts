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
    // Of questions at the same moment any may be the last in line.
    const inLine = ({ channel, thread }: Place): number =>
      Number(/(\d)\w\w in line/.exec(side.server.status(channel, thread))?.[1] ?? 0);
    const findLast = (): number => places.findIndex((place) => inLine(place) >= 4);
    await until(side, 'the wait of the last', 15_000, () => findLast() >= 0);
    const n = findLast();
    const last = places[n]!;
    side.stop(last, n % 3);
    await until(side, 'the stopped answer', 10_000, () => whole(last).includes('⏹ Stopped'));
    const others = places.filter((place) => place !== last);
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
      const shown = (place: Place) => side.posts(place).map(({ text }) => text);
      const isTold = (place: Place): boolean => WAITING.test(shown(place).join('\n'));
      await until(side, 'the waits', 15_000, () => places.filter(isTold).length >= 2);
      const n = places.findLastIndex(isTold);
      const stopped = places[n]!;
      side.stop(stopped, n % 3);
      await until(side, 'the stopped answer', 10_000, () => shown(stopped).join().includes('⏹ Stopped'));
      const answered = places.filter((place) => place !== stopped);
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
