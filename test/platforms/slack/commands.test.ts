import { describe, expect, test } from 'vitest';
import { parseAsk, parseResearch } from '../../../src/core/commands/options.ts';
import { idFrom } from '../../../src/core/ids.ts';
import {
  jobsFromCommand,
  pressFromAction,
  questionFromCommand,
  questionFromShortcut,
} from '../../../src/platforms/slack/commands.ts';
import { decodeText, questionText } from '../../../src/platforms/slack/decode-text.ts';
import { commandBody, pressBody, READER, SELF, shortcutBody, TS } from './payloads.ts';

describe('text from Slack', () => {
  test.each([
    ['a &lt;b&gt; &amp;amp; c', 'a <b> &amp; c'],
    ['see <https://example.org/a?b=1&amp;c=2>', 'see https://example.org/a?b=1&c=2'],
    ['see <https://example.org|the page>', 'see the page (https://example.org)'],
    ['<http://example.org|example.org>', 'http://example.org'],
    ['<mailto:a@example.org|a@example.org>', 'a@example.org'],
    ['ask <@U2|grace> or <@U3>', 'ask @grace or @U3'],
    ['in <#C2|random> and <#C3>', 'in #random and #C3'],
    ['<!here> <!subteam^S1|@ops> <!channel>', '@here @ops @channel'],
    ['&lt;@U2&gt; stays text', '<@U2> stays text'],
  ])('decodes %s', (raw, text) => {
    expect(decodeText(raw, READER)).toBe(text);
  });

  test.each([
    ['<@UBOT> why?', 'why?'],
    ['<@UBOT>, <@UBOT|footnote>: why?', 'why?'],
    ['why? <@UBOT>', 'why?'],
    ['why does <@UBOT> do that', 'why does @footnote do that'],
    ['<@UBOT>', ''],
    ['<@UBOT> research: why &lt; how?', 'research: why < how?'],
    ['<@UBOT>: !research —effort high why?', '!research —effort high why?'],
    ['<@UBOT> !jobs stop R-4F2K', '!jobs stop R-4F2K'],
  ])('takes our mention off the ends of %s', (raw, text) => {
    expect(questionText(raw, READER)).toBe(text);
  });
});

describe('/ask', () => {
  test('becomes a question without a thread, for its asker', () => {
    expect(questionFromCommand(commandBody('why &lt; how?'), READER, 5, parseAsk)).toMatchObject({
      id: idFrom('slack', 'T1', '13.37.abc'),
      trigger: 'command',
      channel: 'C1',
      thread: null,
      message: null,
      text: 'why < how?',
      asker: { id: 'U1', name: 'ada' },
      delivery: { recipient: 'U1', recipientTeam: 'T1', responseUrl: 'http://127.0.0.1:1/response' },
      askedAt: 5,
    });
  });

  test.each(['', '   '])('is no question without text (%j)', (text) => {
    expect(questionFromCommand(commandBody(text), READER, 5, parseAsk)).toBeNull();
  });

  test.each([
    ['--model sonar-pro why?', { text: 'why?', overrides: { profile: 'sonar-pro' } }],
    ['why? --recent week —model sonar', { text: 'why?', overrides: { recency: 'week', profile: 'sonar' } }],
    [
      '--mode=academic why? --site a.org --site -b.org',
      {
        text: 'why?',
        overrides: { searchMode: 'academic', domains: ['-b.org', 'a.org'] },
      },
    ],
    ['what does git commit --amend do', { text: 'what does git commit --amend do', overrides: {} }],
    ['what does --model sonar mean here?', { text: 'what does --model sonar mean here?', overrides: {} }],
  ])('reads the options of %s', (text, parsed) => {
    expect(parseAsk(text)).toEqual(parsed);
  });

  test('answers a wrong option with the accepted values', () => {
    expect(questionFromCommand(commandBody('--model gpt why?'), READER, 5, parseAsk)).toEqual({
      problem: "I don't know --model gpt. Accepted: sonar, sonar-pro, sonar-reasoning-pro.",
    });
  });
});

describe('/research and /jobs', () => {
  test('become a research question, and what is asked about the jobs', () => {
    const body = commandBody('--effort high why &lt; how? —notify dm');
    expect(questionFromCommand(body, READER, 5, parseResearch)).toMatchObject({
      id: idFrom('slack', 'T1', '13.37.abc'),
      text: 'why < how?',
      thread: null,
      research: { effort: 'high', notify: 'dm' },
    });
    expect(questionFromCommand(commandBody('why? --effort huge'), READER, 5, parseResearch)).toEqual({
      problem: "I don't know --effort huge. Accepted: low, medium, high.",
    });
    expect(questionFromCommand(commandBody('why?'), READER, 5, parseAsk)).not.toHaveProperty('research');
  });

  test.each([
    ['', { action: 'list', job: null }],
    ['list', { action: 'list', job: null }],
    ['status R-4F2K', { action: 'status', job: 'R-4F2K' }],
    ['stop R-4F2K', { action: 'stop', job: 'R-4F2K' }],
  ])('/jobs %s', (text, asked) => {
    const person = { id: 'U1', name: 'ada' };
    expect(jobsFromCommand(commandBody(text), READER)).toEqual({
      platform: 'slack',
      workspace: 'T1',
      person,
      ...asked,
    });
  });

  test.each(['stop', 'delete everything now'])('/jobs %s is nothing', (text) => {
    expect(jobsFromCommand(commandBody(text), READER)).toBeNull();
  });
});

describe('Ask about this', () => {
  test('asks about the message, in its thread', () => {
    expect(questionFromShortcut(shortcutBody({ thread_ts: '1.000001' }), READER, 5)).toMatchObject({
      id: idFrom('slack', 'T1', '13.38.abc'),
      trigger: 'shortcut',
      thread: { channel: 'C1', thread: '1.000001' },
      message: { message: TS },
      quotes: [{ author: null, text: 'The moon is < Mars', attachments: [] }],
      text: '',
    });
  });

  test('opens a thread at a message that has none, and names the bot that wrote it', () => {
    const question = questionFromShortcut(shortcutBody({ username: 'news' }), READER, 5);
    expect(question?.thread?.thread).toBe(TS);
    expect(question?.quotes[0]?.author).toBe('news');
  });
});

describe('buttons', () => {
  test.each(['retry', 'continue'] as const)('%s is a press on the question it carries', (action) => {
    expect(pressFromAction(pressBody(`footnote:${action}`), SELF)).toEqual({
      action,
      question: 'q-1',
      presser: { id: 'U1', name: 'ada' },
      press: '13.39.abc',
      delivery: { recipient: 'U1', recipientTeam: 'T1', responseUrl: 'http://127.0.0.1:1/response' },
    });
  });

  test.each([pressBody('footnote:other'), pressBody('footnote:stop', '')])(
    'anything else is none',
    (body) => {
      expect(pressFromAction(body, SELF)).toBeNull();
    },
  );
});
