import { describe, expect, test } from 'vitest';
import { parseResearch } from '../../../src/core/commands/options.ts';
import { parseCommand, takeOffMention } from '../../../src/core/commands/parse.ts';

const wish = { effort: 'medium', notify: 'here' };

describe('what a message asks for instead of an answer', () => {
  test.each([
    ['research: how do cities cool?', { text: 'how do cities cool?', research: wish }],
    ['  Research : why\nand how', { text: 'why\nand how', research: wish }],
    ['!research why', { text: 'why', research: wish }],
    [
      '!RESEARCH --effort high --notify dm why --recent week',
      { text: 'why', research: { effort: 'high', notify: 'dm' }, overrides: { recency: 'week' } },
    ],
    ['research: --site example.org why', { text: 'why', overrides: { domains: ['example.org'] } }],
  ])('%j is research', (text, expected) => {
    expect(parseCommand(text)).toMatchObject({ type: 'research', ...expected });
  });

  test.each([
    ['!jobs', { action: 'list', job: null }],
    ['!jobs list', { action: 'list', job: null }],
    ['!jobs R-4F2K', { action: 'status', job: 'R-4F2K' }],
    ['!jobs status r-4f2k', { action: 'status', job: 'r-4f2k' }],
    ['!Jobs STOP R-4F2K ', { action: 'stop', job: 'R-4F2K' }],
  ])('%j is for the desk', (text, expected) => {
    expect(parseCommand(text)).toEqual({ type: 'jobs', ...expected });
  });

  test.each([
    ['!research', /after the command: !research/],
    ['research:  ', /after the command: research:/],
    ['!research --effort extreme why', /--effort extreme\. Accepted: low, medium, high/],
    ['!research --model sonar why', /leave --model out/],
    ['!jobs stop', /!jobs stop R-…/],
    ['!jobs stop R-1 R-2', /!jobs stop R-…/],
    ['!reserch', /I don't know !reserch\. I know !research/],
  ])('%j gets a word on what is wrong', (text, word) => {
    const command = parseCommand(text);
    expect(command?.type === 'say' && command.text).toMatch(word);
  });

  test('!help is for help', () => {
    expect(parseCommand('!help')).toEqual({ type: 'help' });
  });

  test.each([
    'why does ! negate?',
    'what is research: a definition',
    'do my research: please',
    '!important in CSS, what does it do?',
    '!help me with this',
    '! research why',
    '!!',
    '',
    'researching: what is it',
  ])('%j is a question', (text) => {
    expect(parseCommand(text)).toBeNull();
  });
});

describe('our own mention', () => {
  test.each([
    ['<@1> why?', 'why?'],
    ['<@1>: why?', 'why?'],
    ['<@1>, <@1> - why?', 'why?'],
    ['why? <@1>', 'why?'],
    ['why, <@1>?', 'why?'],
    ['!help <@1>', '!help'],
    ['<@1> !help <@1>', '!help'],
    ['<@1>', ''],
    [' <@1> <@1>! ', ''],
    ['<@1> :wave: hi', ':wave: hi'],
    ['<@1> -5 degrees in F?', '-5 degrees in F?'],
    ['is <@1> right?', 'is <@1> right?'],
    ['<@1> is <@1> right?', 'is <@1> right?'],
    ['<@2> why? <@1>', '<@2> why?'],
    ['- a list', '- a list'],
    [': why', ': why'],
  ])('is taken off: %j', (text, rest) => {
    expect(takeOffMention(text, /<@1>/g)).toBe(rest);
  });

  test.each([
    '<@1> - research: cities',
    '<@1> — research: cities',
    '<@1>: research: cities',
    'hey <@1> research: cities',
    'Good morning all, <@1>: research: cities',
    'hey <@1> !research cities',
    'research: cities <@1>',
  ])('hides no command: %j', (text) => {
    expect(parseCommand(takeOffMention(text, /<@1>/g))).toMatchObject({ type: 'research', text: 'cities' });
  });

  test.each([
    'what they told <@1> yesterday was research: a survey',
    'I would like to know from <@1> research: what is it',
    'hey <@1> researching: what is it',
    'hey <@2> research: cities',
  ])('stays in a question: %j', (text) => {
    expect(takeOffMention(text, /<@1>/g)).toBe(text);
  });

  test('is found in linear time', () => {
    const hostile = ['<@1>'.repeat(10_000), `<@1>${' '.repeat(40_000)}x`, `${' :'.repeat(20_000)}<@1>x`];
    const startedAt = performance.now();
    for (const text of hostile) takeOffMention(text, /<@1>/g);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('/research', () => {
  test('reads its flags at the ends and leaves the others in the question', () => {
    expect(parseResearch('what does git commit --amend do —effort=low')).toEqual({
      text: 'what does git commit --amend do',
      overrides: {},
      research: { effort: 'low', notify: 'here' },
    });
    expect(parseResearch('--mode web why')).toMatchObject({ text: '--mode web why' });
  });
});
