import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ResearchService, startResearchService, type Talk } from '../support/research-service.ts';
import type { Post } from '../support/sides.ts';

const ENDED_ANSWER = /· \d+\.\d s\b/;

/** Research beside everything else that people do, on both platforms. */
describe('research is asked for', { timeout: 120_000 }, () => {
  let service: ResearchService;
  beforeAll(async () => void (service = await startResearchService({ PERPLEXITY_API: 'chat' })));
  afterAll(() => service.close());
  const onBoth = (title: string, body: (talk: Talk) => Promise<void>): void =>
    test(title, async () => void (await Promise.all(service.talks.map(body))));

  onBoth('by "Dig deeper" twice, and by two people: it is one job', async (talk) => {
    const { side, cards, notices, see } = talk;
    const place = side.mention(`Why is it so, ${side.name}?`);
    const answer = (): Post | undefined =>
      side.posts(place).find(({ buttons }) => buttons.includes('Dig deeper'));
    await see('an answer', () => answer() !== undefined);
    const found = answer()!;
    side.press(place, found, 'Dig deeper');
    side.press(place, found, 'Dig deeper');
    side.press(place, found, 'Dig deeper', 1);
    await see('the notice', () => notices(place).length > 0);
    await see('the private reply', () =>
      side.shownAlone(1).some((text) => text.includes('already being researched')),
    );
    const jobs = service.perplexity.research.jobs.filter(({ question }) =>
      question.includes(`so, ${side.name}?`),
    );
    expect([jobs.length, notices(place).length, cards(place).length]).toEqual([1, 1, 1]);
  });

  onBoth('in a direct conversation, beside what else is asked there', async (talk) => {
    const place = talk.side.direct(`research: takes:20m in private ${talk.side.name}`);
    await talk.see('a card', () => talk.cards(place).length > 0);
    talk.side.follow(place, 'And what is new?');
    await talk.see('an answer', () => talk.side.posts(place).some(({ text }) => ENDED_ANSWER.test(text)));
    await talk.see('the notice', () => talk.notices(place).length > 0);
    expect(talk.notices(place)).toHaveLength(1);
  });

  onBoth('by two people in one thread: each is told of theirs alone', async (talk) => {
    const place = await talk.research('first of two');
    talk.side.follow(place, `research: second of two ${talk.side.name}`, { person: 1, mention: true });
    await talk.see('both', () => talk.notices(place).length === 2);
    const { people } = (talk.side === service.slack ? service.slack : service.discord).server;
    const told = talk.notices(place).map(({ text }) => text.match(/<@\w+>/g)?.join());
    expect(new Set(told)).toEqual(new Set([`<@${people[0]?.id}>`, `<@${people[1]?.id}>`]));
  });

  onBoth(
    'beside answers of its thread: they wait for nothing, and the next one knows the report',
    async (talk) => {
      const { side, notices, see } = talk;
      const place = await talk.research('takes:1h speed:1 beside answers');
      side.follow(place, `And one, ${side.name}?`, { mention: true });
      side.follow(place, `And two, ${side.name}?`, { mention: true });
      const answers = (): readonly Post[] => side.posts(place).filter(({ text }) => ENDED_ANSWER.test(text));
      await see('two answers', () => answers().length === 2);
      expect(notices(place)).toEqual([]);
      await talk.isBegun('beside answers');
      service.perplexity.research.finish(talk.jobsOf('beside answers')[0]?.id);
      await see('the notice', () => notices(place).length > 0);
      // As fast as anybody can: whatever of the delivery is not done yet must not keep it from knowing.
      side.follow(place, `And three, ${side.name}?`, { mention: true });
      await see('three answers', () => answers().length === 3);
      const bodies = service.perplexity.requests
        .map(({ body }) => JSON.stringify(body ?? ''))
        .filter((body) => body.includes(side.name) && /And (?:one|two|three),/.test(body));
      const asked = bodies.map((body) => body.match(/And (?:one|two|three),/g)?.at(-1));
      // Slack may send two messages of one moment over two sockets: neither is surely the first.
      expect(new Set(asked.slice(0, 2))).toEqual(new Set(['And one,', 'And two,']));
      expect(asked.slice(2)).toEqual(['And three,']);
      expect(bodies[0]).not.toContain('## Summary');
      expect(bodies[2]).toContain('## Summary');
      expect(bodies[2]).toContain(`beside answers ${side.name}`);
    },
  );
});
