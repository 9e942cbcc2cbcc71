import { expect, test } from 'vitest';
import { askRush } from '../chaos/ask-rush.ts';

test('sixty /ask in one moment are paid once each, and answered within the rate limits', async () => {
  const outcomes = await askRush({ random: Math.random, isShort: true, databaseUrl: null });
  expect(outcomes.flatMap(({ faults }) => faults)).toEqual([]);
}, 180_000);
