import { expect, test } from 'vitest';
import { startResearchService } from '../support/research-service.ts';

test('research that is stuck is told of past its deadline, and can still be stopped', async () => {
  const service = await startResearchService({ PERPLEXITY_API: 'agent', RESEARCH_DEADLINE_MINUTES: '0.1' });
  try {
    await Promise.all(
      service.talks.map(async (talk) => {
        const place = await talk.research('fault:job-stuck for ever');
        const card = (): string => talk.cards(place)[0]?.text ?? '';
        await talk.see('a word below the card', () =>
          /is still running at Perplexity. I keep looking, once an hour/.test(talk.readable(place)),
        );
        expect(talk.notices(place)).toEqual([]);
        talk.pressStop(place);
        await talk.see('the end', () => /Cancelled R-/.test(card()));
        expect(talk.jobsOf('for ever')[0]?.state()).toBe('cancelled');
        expect(talk.notices(place)).toEqual([]);
      }),
    );
  } finally {
    await service.close();
  }
}, 120_000);
