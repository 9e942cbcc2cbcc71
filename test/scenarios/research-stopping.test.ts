import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ResearchService, startResearchService, type Talk } from '../support/research-service.ts';
import type { Place } from '../support/sides.ts';

/** When Stop is pressed on a job that has just ended upstream: how often it must have been looked at since. */
const RACES = [0, 0, 0, 1, 1, 1];
/** Looked at often: the moment of a press is short. */
const WAIT = { timeout: 60_000, interval: 2 };

/** Stop, `/jobs`, `npm run jobs` and upstream agree, on both platforms. */
describe('research that is stopped', { timeout: 120_000 }, () => {
  let service: ResearchService;
  beforeAll(async () => void (service = await startResearchService({ PERPLEXITY_API: 'agent' })));
  afterAll(() => service.close());
  const onBoth = (title: string, body: (talk: Talk) => Promise<void>): void =>
    test(title, async () => void (await Promise.all(service.talks.map(body))));

  onBoth('is over upstream too; not by a stranger, and only once', async (talk) => {
    const { side, cards, jobsOf, notices, readable, see } = talk;
    const place = await talk.research('takes:1h speed:1 stop me');
    await talk.isBegun('stop me');
    const name = talk.nameIn(place);
    expect(await service.listed(name)).toMatch(/running .*agent/);
    talk.pressStop(place, 1);
    await see('a refusal', () => side.shownAlone(1).some((text) => /Only .* can do that/.test(text)));
    side.follow(place, `!jobs stop ${name}`, { mention: true, person: 1 });
    await see('another', () => /I know no job R-/.test([...side.shownAlone(1), readable(place)].join('\n')));
    expect(jobsOf('stop me')[0]?.state()).toMatch(/queued|running/);
    talk.pressStop(place);
    await see('the card', () => cards(place)[0]?.text.includes(`Cancelled ${name}`) === true);
    expect(jobsOf('stop me')[0]?.state()).toBe('cancelled');
    expect(cards(place)[0]?.buttons).toEqual([]);
    expect(await service.listed(name)).toMatch(/stopped .*none due/);
    side.follow(place, `!jobs stop ${name.toLowerCase()}`, { mention: true });
    await see('the private reply', () => readable(place).includes(`${name} has already been stopped`));
    side.follow(place, `!jobs status ${name}`, { mention: true });
    await see('the same word as on the card', () => readable(place).split(`Cancelled ${name}`).length > 2);
    expect(notices(place)).toEqual([]);
  });

  onBoth('after its end says so', async (talk) => {
    const place = await talk.research('quick one');
    await talk.see('the notice', () => talk.notices(place).length > 0);
    const name = talk.nameIn(place);
    talk.side.follow(place, `!jobs stop ${name}`, { mention: true });
    await talk.see('the private reply', () => talk.readable(place).includes(`${name} has already finished`));
    await expect.poll(() => service.listed(name), { timeout: 20_000 }).toMatch(/done .*sent/);
  });

  onBoth('while it is being handed in is cancelled as soon as it has been', async (talk) => {
    const place = await talk.research('takes:1h speed:1 fault:slow late stop');
    await talk.isBegun('late stop');
    const name = talk.nameIn(place);
    talk.pressStop(place);
    await talk.see('the card', () => talk.cards(place)[0]?.text.includes(`Cancelled ${name}`) === true);
    expect(talk.jobsOf('late stop')[0]?.state()).toBe('cancelled');
    expect(await service.listed(name)).toMatch(/stopped .*none due/);
  });

  onBoth('in a race with its end is one or the other', async (talk) => {
    const texts = RACES.map((_, n) => `takes:1h speed:1 race ${n}`);
    const places = await Promise.all(texts.map((text) => talk.research(text)));
    for (const text of texts) await talk.isBegun(text);
    await Promise.all(
      places.map(async (place, n) => {
        const job = talk.jobsOf(texts[n]!)[0]!;
        const seen = job.looks.length;
        service.perplexity.research.finish(job.id);
        await vi.waitUntil(() => job.looks.length - seen >= RACES[n]!, WAIT);
        talk.pressStop(place);
      }),
    );
    for (const place of places) await isOneOrTheOther(talk, place);
  });

  onBoth('by deleting the question is over upstream too', async (talk) => {
    const place = await talk.research('takes:1h speed:1 to be deleted');
    await talk.isBegun('to be deleted');
    talk.side.unsay(place);
    await talk.see('the card', () => /question was deleted/.test(talk.cards(place)[0]?.text ?? ''));
    expect(talk.jobsOf('to be deleted')[0]?.state()).toBe('cancelled');
    expect(talk.notices(place)).toEqual([]);
  });

  test('is what `npm run jobs` prints', async () => {
    const [place] = await Promise.all(service.talks.map((talk) => talk.research('takes:1h speed:1 listed')));
    const [talk] = service.talks;
    const name = talk!.nameIn(place!);
    await talk!.isBegun('listed');
    const lines = await service.reported();
    const row = lines.find((line) => line.includes(name));
    expect(row).toMatch(/running .*agent/);
    expect(lines).toContain('The Agent API has no list of its own.');
  });

  async function isOneOrTheOther(talk: Talk, place: Place): Promise<void> {
    const card = (): string => talk.cards(place)[0]?.text ?? '';
    await talk.see('an end', () => /Done in|Cancelled/.test(card()));
    const isDone = card().includes('Done in');
    if (isDone) await talk.see('the notice', () => talk.notices(place).length > 0);
    expect(talk.notices(place)).toHaveLength(isDone ? 1 : 0);
    expect(await service.listed(talk.nameIn(place))).toMatch(isDone ? /done/ : /stopped/);
  }
});
