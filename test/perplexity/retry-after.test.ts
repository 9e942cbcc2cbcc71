import { APIError } from 'openai';
import { expect, test, vi } from 'vitest';
import { Failure } from '../../src/core/failures.ts';
import { translateRequestError } from '../../src/perplexity/errors.ts';

const NOW = Date.UTC(2026, 10, 30);

/** The wait that a rate limit with these headers asks for. */
function waitOf(headers: Readonly<Record<string, string>>): number | undefined {
  vi.setSystemTime(NOW);
  const failure = translateRequestError(APIError.generate(429, {}, 'busy', new Headers(headers)));
  vi.useRealTimers();
  expect(failure).toBeInstanceOf(Failure);
  return failure instanceof Failure ? failure.retryAfterMs : undefined;
}

test.for([
  ['seconds', { 'retry-after': '2' }],
  ['a date', { 'retry-after': new Date(NOW + 2_000).toUTCString() }],
  ['milliseconds', { 'retry-after-ms': '2000' }],
  ['a moment in seconds', { 'retry-after': String(NOW / 1000 + 2) }],
  ['a moment in milliseconds', { 'retry-after': String(NOW + 2_000) }],
  ['a reset in seconds', { 'x-ratelimit-reset': String(NOW / 1000 + 2) }],
  ['a reset in milliseconds', { 'x-ratelimit-reset': String(NOW + 2_000) }],
  ['the reset where Retry-After makes no sense', { 'retry-after': '1e9', 'x-ratelimit-reset': '2' }],
] as const)('%s is read', ([, headers]) => {
  expect(waitOf(headers)).toBe(2_000);
});

test.for(['-5', '0'])('Retry-After: %s does not wait', (value) => {
  expect(waitOf({ 'retry-after': value })).toBe(0);
});

test.for(['1e9', '999999999', 'Infinity', '1e400', '1s', '1, 1', 'soon', ''])(
  'Retry-After: %s is passed over',
  (value) => {
    expect(waitOf({ 'retry-after': value })).toBeUndefined();
  },
);
