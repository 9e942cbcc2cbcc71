import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type Place,
  type Side,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';

const UNRESOLVED = /^footnote_citations_unresolved_total\{.*\} (\d+)$/m;

/** Ways in which an answer ends otherwise than by being complete, and what its buttons show, on both platforms. */
describe.each([
  ['Slack', startSlackSide],
  ['Discord', startDiscordSide],
])('on %s', (_name, startSide) => {
  let side: Side;
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    side = await startSide();
    perplexity = await startPerplexityServer({ tokensPerSecond: 100 });
    service = await startService({ ...side.connection, perplexity });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([side.close(), perplexity.close()]);
  });

  const whole = (place: Place): string =>
    side
      .posts(place)
      .map((post) => post.text)
      .join('\n');
  const growing = async (text: string): Promise<Place> => {
    const place = side.mention(text);
    await until(side, 'growing text', 10_000, () => side.posts(place).some((post) => post.isGrowing));
    return place;
  };

  test('its asker stops it: what came is kept and marked, and nothing more is asked of the model', async () => {
    const place = await growing('long 9000 to stop');
    side.stop(place);
    await until(side, 'the stopped answer', 10_000, () => whole(place).includes('⏹ Stopped'));
    expect(side.posts(place).every((post) => !post.isGrowing)).toBe(true);
    expect(side.posts(place).at(-1)?.buttons).toEqual(['Continue', 'Retry']);
    await expect.poll(() => perplexity.requests.at(-1)?.state).toBe('aborted');
  });

  test('somebody else cannot stop it', async () => {
    const place = await growing('long 1500 that goes on');
    side.stop(place, 1);
    await until(side, 'the whole answer', 20_000, () => areEnded(side.posts(place), 1));
    expect(whole(place)).not.toContain('⏹');
  });

  test('its question is deleted: what came is kept and marked', async () => {
    const place = await growing('long 9000 to delete');
    side.unsay(place);
    await until(side, 'the end', 10_000, () => whole(place).includes('⏹ Stopped: the question was deleted'));
    await expect.poll(() => perplexity.requests.at(-1)?.state).toBe('aborted');
  });

  test('all its sources are shown to whoever asks for them, to them alone', async () => {
    const place = side.mention('Show me a table of the sites');
    await until(side, 'an answer', 10_000, () => areEnded(side.posts(place), 1));
    const last = side.posts(place).at(-1)!;
    expect(last.text).toMatch(/5 sources · \d sites · newest \d+ d/);
    side.press(place, last, 'All 5 sources', 1);
    await until(side, 'the list', 10_000, () => side.shownAlone(1).some((text) => text.includes(' · [')));
    const list = side.shownAlone(1).join('\n');
    for (const number of [1, 2, 3, 4, 5]) expect(list).toContain(`${number} · [`);
    expect(list).toContain('> ');
  });

  test('its citations that lead nowhere are counted for the operator', async () => {
    const counted = async (): Promise<number> => {
      const metrics = await (await fetch(`http://127.0.0.1:${service.port}/metrics`)).text();
      return Number(UNRESOLVED.exec(metrics)?.[1] ?? 0);
    };
    // None of the answers above that somebody ended counts.
    expect(await counted()).toBe(0);
    const place = side.mention('Something out of range please');
    await until(side, 'an answer', 10_000, () => areEnded(side.posts(place), 1));
    expect(whole(place)).toContain('[99]');
    await expect.poll(counted, { timeout: 10_000 }).toBe(1);
  });
});
