import { expect, test } from 'vitest';
import { parseAsk, parseSites } from '../../../src/core/commands/options.ts';

test.each([
  ['a.org, -b.org', ['a.org', '-b.org']],
  ['  Docs.Example.com;a.org a.org,', ['docs.example.com', 'a.org']],
  ['https://example.org/, -http://b.example/blog/', ['example.org', '-b.example/blog']],
  ['', []],
])('%j names %j', (text, domains) => {
  expect(parseSites(text)).toEqual({ domains });
});

test.each([
  ['wikipedia', 'example.org, -example.com'],
  ['a.org, <b>', '"<b>"'],
  [`${'a'.repeat(252)}.org`, 'is no site'],
  [Array.from({ length: 21 }, (_, i) => `a${i}.org`).join(), 'At most 20'],
])('%j is refused with a word on why', (text, problem) => {
  expect(parseSites(text)).toEqual({ problem: expect.stringContaining(problem) });
});

test('--site takes what a list of sites takes, and refuses what it refuses', () => {
  const text = '--site https://A.org/ --site -b.org why?';
  expect(parseAsk(text)).toEqual({ text: 'why?', overrides: { domains: ['a.org', '-b.org'] } });
  expect(parseAsk('why? --site wikipedia')).toEqual({ problem: expect.stringContaining('no site') });
});
