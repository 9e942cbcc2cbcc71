import { describe, expect, test } from 'vitest';
import { parseResearch } from '../../../src/core/commands/options.ts';
import { parseCommand } from '../../../src/core/commands/parse.ts';

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
