import { describe, expect, test } from 'vitest';
import { composeNotification } from '../../../src/core/research/notification.ts';
import type { Ending, ResearchFault } from '../../../src/core/research/ports.ts';
import { reportFile, summarise } from '../../../src/core/research/report.ts';
import { fresh } from './fakes.ts';
import { asked, MINUTE, REPORT } from './setup.ts';

const begunAt = Date.UTC(2026, 10, 3, 14, 5);
const ended = (ending: Ending, text = 'How do cities cool?') => ({
  ...fresh(asked({ text }), 'R-TEST', begunAt),
  state: ending.outcome,
  ending,
  endedAt: begunAt + 6 * MINUTE - 10_000,
});

describe('the summary', () => {
  test('is what stands under its heading, at most five lines', () => {
    expect(summarise(REPORT.text)).toBe('Trees help [1].\nSo does paint [2].');
    const many = ['Preamble', '### **x**', '# Summary:', 'a', 'b', 'c', 'd', 'e', 'f', '## Next', 'no'].join(
      '\n\n',
    );
    expect(summarise(many)).toBe('a\nb\nc\nd\ne');
  });

  test('is the first sentences where there is none', () => {
    const text = `# Title\n\nFirst [1]. Second [2].\n\n| a | b |\n|---|---|\n\n\`\`\`\ncode\n\`\`\`\n---\nThird.`;
    expect(summarise(text)).toBe('First [1]. Second [2].\nThird.');
  });

  test('is cut between sentences, or between words, and never inside a marker', () => {
    const sentence = 'This sentence says something worth saying [12]. ';
    const long = summarise(sentence.repeat(60));
    expect(long.length).toBeLessThanOrEqual(1_200);
    expect(long.endsWith('[12].')).toBe(true);
    const endless = summarise('word[123]'.repeat(400));
    expect(endless).toMatch(/…$/);
    for (const filler of Array.from({ length: 12 }, (_, n) => 'x'.repeat(n))) {
      const cut = summarise(`${filler} ${'word[123]'.repeat(400)}`);
      expect(cut).not.toMatch(/\[\d*…$/);
    }
  });

  test('of nothing is nothing', () => {
    expect(summarise('')).toBe('');
  });
});

describe('the report file', () => {
  test('has the question, the facts, the whole text and every source', () => {
    const { name, text } = reportFile(ended({ outcome: 'done', report: REPORT }), REPORT);
    expect(name).toBe('research-R-TEST.md');
    expect(text).toContain('# How do cities cool?\n');
    expect(text).toContain('3 Nov 2026, 14:10 UTC · 6 min · 2 sources · $0.41 · R-TEST');
    expect(text).toContain(REPORT.text);
    expect(text).toContain('1. Source 1 · s1.example · 2026-11-03 · <https://s1.example/page>');
    expect(text).toContain('2. Source 2 · ');
  });

  test('of 60,000 characters and 120 sources is complete', () => {
    const sources = Array.from({ length: 120 }, (_, n) => ({
      number: n + 1,
      url: `https://s${n + 1}.example/${n === 3 ? 'a b>\n5. Forged' : ''}`,
      title: n === 4 ? 'Two\nlines' : `Title ${n + 1}`,
      date: null,
      snippet: null,
    }));
    const report = { ...REPORT, text: 'Words and words [120].\n'.repeat(2_700), sources };
    const { text } = reportFile(ended({ outcome: 'done', report }), report);
    expect(text).toContain(report.text.trim());
    const entries = text
      .slice(text.indexOf('## Sources'))
      .split('\n')
      .filter((line) => /^\d+\. /.test(line));
    expect(entries).toHaveLength(120);
    expect(entries[4]).toContain('5. Two lines · s5.example');
    expect(entries[119]).toContain('120. Title 120');
  });

  test('says what it shows: no controls, nothing that turns the direction of words', () => {
    const text = 'One\r\ntwo \u202Etxt.exe\u202C \u2066so\u2069\u0007\u0000 \ud800 👩‍🔬 می‌شود\tend';
    const file = reportFile(ended({ outcome: 'done', report: REPORT }), { ...REPORT, text });
    expect(file.text).toContain('\n\nOne\ntwo txt.exe so  👩‍🔬 می‌شود\tend\n');
  });
});

describe('what the asker is told', () => {
  test('is the summary, with all sources on a button and the report as a file', () => {
    const told = composeNotification(ended({ outcome: 'done', report: REPORT }), true)!;
    expect(told.lead).toBe('Research finished in 6 min');
    expect(told.view).toMatchObject({
      text: 'Trees help [1].\nSo does paint [2].',
      sources: REPORT.sources,
      footer: 'Deep research · 2 sources · 6 min · $0.41 · R-TEST',
      buttons: [{ action: 'sources', label: 'All 2 sources' }],
      notices: [],
    });
    expect(told.file?.name).toBe('research-R-TEST.md');
  });

  test('says when the report is not whole or rests on nothing, and what the API lacked', () => {
    const report = { ...REPORT, sources: [], cut: 'length' } as const;
    const record = { ...ended({ outcome: 'done', report }), remark: 'No academic search there.' };
    expect(composeNotification(record, true)?.view.notices).toEqual([
      'No academic search there.',
      '⚠ No web sources were used for this report.',
      '⚠ The report reached its length limit.',
    ]);
  });

  const faults: readonly [ResearchFault, RegExp, boolean][] = [
    ['rejected', /couldn't send that: the key is odd\. Nothing was begun, so nothing is charged/, false],
    ['not-authorised', /not set up correctly; admins have been told/, false],
    ['unreachable', /isn't reachable.*nothing is charged/, true],
    ['rate-limited', /rate-limiting us.*nothing is charged/, true],
    ['unknown', /may have been begun at Perplexity, and charged/, true],
    ['failed', /could not finish it: the key is odd/, true],
    ['cancelled', /cancelled at Perplexity/, true],
    ['empty', /gives no report/, true],
    ['missing', /does not know this job any more/, true],
    ['expired', /after seven days/, true],
    ['no-place', /can't write where you asked\. the key is odd Nothing was begun/, true],
    ['given-up', /again and again/, true],
  ];
  test.each(faults)('of a job that failed is why: %s', (fault, words, canRetry) => {
    const told = composeNotification(ended({ outcome: 'failed', fault, remedy: 'the key is odd' }), true)!;
    expect(told.lead).toBe('Research failed after 6 min');
    expect(told.view.notices[0]).toMatch(words);
    expect(told.view.notices[0]).toContain('R-TEST');
    expect(told.view.buttons).toEqual(
      canRetry ? [{ action: 'retry', label: 'Try again', question: asked().id }] : [],
    );
    expect(told.file).toBeNull();
  });

  test('of a stopped one is nothing', () => {
    expect(composeNotification(ended({ outcome: 'stopped', reason: 'stopped', by: null }), true)).toBeNull();
  });
});
