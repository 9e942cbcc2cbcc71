import { RateLimitError } from 'discord.js';
import { expect, test } from 'vitest';
import { failureOf } from '../../../src/platforms/discord/errors.ts';

function rateLimited(retryAfter: number): RateLimitError {
  return new RateLimitError({
    retryAfter,
    sublimitTimeout: 0,
    timeToReset: retryAfter,
    limit: 5,
    method: 'POST',
    hash: 'hash',
    url: 'https://discord.test/api/v10/channels/1/messages',
    route: '/channels/:id/messages',
    majorParameter: '1',
    global: false,
    scope: 'user',
  });
}

test.each([
  [3_000, 3_000],
  [3_600_000, 600_000],
  [1_764_000_000_000, 600_000],
])('a 429 of %i ms is asked about again after %i ms', (retryAfter, expected) => {
  expect(failureOf(rateLimited(retryAfter), 'a call')).toMatchObject({
    kind: 'rate-limited',
    retryAfterMs: expected,
  });
});
