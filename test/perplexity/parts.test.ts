import { assert, nat, property, uniqueArray } from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { resolveProfile } from '../../src/core/commands/options.ts';
import { startDeadline } from '../../src/perplexity/deadline.ts';
import { parseAgentJob } from '../../src/perplexity/research-agent.ts';
import { parseChatJob } from '../../src/perplexity/research-chat.ts';
import { parseChatSources } from '../../src/perplexity/sources.ts';
import { createThoughtFilter, removeThoughts } from '../../src/perplexity/thinking.ts';

describe('thoughts', () => {
  const strip = (pieces: readonly string[]): string => {
    const thoughts = createThoughtFilter();
    return pieces.map((piece) => thoughts.push(piece)).join('') + thoughts.end();
  };
  const CASES: readonly (readonly [string, string])[] = [
    ['<think>\nlet me see <b> </thin </think>\n\nThe answer.', 'The answer.'],
    [' \n<think></think>Short.', 'Short.'],
    ['No thoughts <think>here</think>.', 'No thoughts <think>here</think>.'],
    ['<thinking aloud> is fine', '<thinking aloud> is fine'],
    ['<think>first</think>Second <think> stays.', 'Second <think> stays.'],
    ['<think>a</think><think>b</think>Hi', 'Hi'],
    ['<think>a</think>\n\n<thinking>b</thinking>\n Hi', 'Hi'],
    ['<Thinking>a</Thinking>Hi', 'Hi'],
    ['<thought signature="x">a</thought>Hi', 'Hi'],
    ['<reasoning>a</reasoning >Hi', 'Hi'],
    ['[THINK]a [1][/THINK]Hi', 'Hi'],
    ['◁think▷a◁/think▷Hi', 'Hi'],
    ['<|begin_of_thought|>a<|end_of_thought|>Hi', 'Hi'],
    ['[1] says so', '[1] says so'],
    ['<thinker>a</thinker>', '<thinker>a</thinker>'],
    ['Okay.\n</think>\n\nHi', 'Okay.\n</think>\n\nHi'],
    ['<think>never closed, </think', ''],
    ['<thi', '<thi'],
    ['  indented', '  indented'],
    ['', ''],
  ];

  test.for(CASES)('of %j only %j is shown, wherever it is split', ([text, shown]) => {
    expect(strip([text])).toBe(shown);
    expect(strip(text.split(''))).toBe(shown);
    assert(
      property(uniqueArray(nat(text.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        expect(strip(at.slice(1).map((end, i) => text.slice(at[i], end)))).toBe(shown);
      }),
    );
  });
});

describe('thoughts that may lack their opening tag', () => {
  const CASES: readonly (readonly [string, string])[] = [
    ['Okay, the user wants X.\n</think>\n\nThe answer [1].', 'The answer [1].'],
    ['Hm.\n</thinking>\nHi </think>', 'Hi </think>'],
    ['<think>a</think>Hi\n</think>\nHo', 'Hi\n</think>\nHo'],
    ['The tag `</think>` ends thoughts.', 'The tag `</think>` ends thoughts.'],
    ['No thoughts at all.', 'No thoughts at all.'],
  ];

  test.for(CASES)('of %j only %j is shown, wherever it is split', ([text, shown]) => {
    expect(removeThoughts(text)).toBe(shown);
    for (const pieces of [text.split(''), text.split(/(?=\n)/), text.split(/(?<=\n)/)]) {
      const thoughts = createThoughtFilter(true);
      expect(pieces.map((piece) => thoughts.push(piece)).join('') + thoughts.end()).toBe(shown);
    }
  });

  test('are not waited for once they come in another way', () => {
    const thoughts = createThoughtFilter(true);
    expect(thoughts.push('High')).toBe('');
    expect(thoughts.trustText() + thoughts.push(' and low.')).toBe('High and low.');
  });
});

describe('sources of a chat completion', () => {
  test('are numbered by the citations and described by the search results', () => {
    const results = [
      { url: 'https://b.example/', title: 'B', date: null, last_updated: '2026-01-02' },
      { url: 'https://a.example/', title: 'A', date: '2026-01-01', snippet: 'text' },
    ];
    const citations = ['https://a.example/', 'https://b.example/', 'https://www.c.example/x'];
    expect(parseChatSources(citations, results)).toEqual([
      { number: 1, url: 'https://a.example/', title: 'A', date: '2026-01-01', snippet: 'text' },
      { number: 2, url: 'https://b.example/', title: 'B', date: '2026-01-02', snippet: null },
      { number: 3, url: 'https://www.c.example/x', title: 'c.example', date: null, snippet: null },
    ]);
  });

  test('leave out what is not a page on the web, without moving the numbers', () => {
    const urls = ['javascript:alert(1)', 'https://', 7, null, 'https://a.example/'];
    expect(parseChatSources(urls, []).map(({ number, url }) => [number, url])).toEqual([
      [5, 'https://a.example/'],
    ]);
  });
});

describe('sources of a research job', () => {
  const page = { url: 'https://read.example/', title: 'read' };

  test('are also the pages that an Agent run has read', () => {
    const output = [
      { type: 'search_results', results: [{ id: 1, url: 'https://a.example/', title: 'a' }] },
      { type: 'fetch_url_results', contents: [page] },
    ];
    expect(parseAgentJob({ status: 'completed', output })).toMatchObject({
      report: { sources: [{ number: 1 }, { number: 2, url: page.url }] },
    });
  });

  test('are the annotations where a gateway sends nothing else', () => {
    const message = { content: 'x', annotations: [{ type: 'url_citation', url_citation: page }] };
    const response = { choices: [{ message, finish_reason: 'stop' }] };
    expect(parseChatJob({ status: 'COMPLETED', response })).toMatchObject({
      report: { sources: [{ number: 1, url: page.url }] },
    });
  });
});

describe('model names', () => {
  test.for([
    ['sonar', 'sonar'],
    [' Sonar-Pro ', 'sonar-pro'],
    ['perplexity/sonar-reasoning-pro', 'sonar-reasoning-pro'],
  ] as const)('%j is %s', ([name, profile]) => {
    expect(resolveProfile(name)).toEqual({ profile, notice: null });
  });

  test('the name of a model that is gone leads to its successor and says so', () => {
    expect(resolveProfile('sonar-reasoning')).toEqual({
      profile: 'sonar-reasoning-pro',
      notice: expect.stringContaining('no longer exists'),
    });
  });

  test.for(['', 'gpt-5', 'toString', 'sonar-deep-research'])('%j is not a profile', (name) => {
    expect(resolveProfile(name)).toBeNull();
  });
});

describe('timeouts', () => {
  afterEach(() => void vi.useRealTimers());
  const start = () => {
    vi.useFakeTimers();
    return startDeadline({ headersMs: 100, idleMs: 100, totalMs: 1000 }, new AbortController().signal);
  };

  test('a consumer that takes its time is not the other side being silent', () => {
    const deadline = start();
    deadline.headersArrived();
    deadline.pause();
    vi.advanceTimersByTime(500);
    expect(deadline.reason()).toBeNull();
    deadline.resume();
    vi.advanceTimersByTime(99);
    expect(deadline.reason()).toBeNull();
    vi.advanceTimersByTime(1);
    expect(deadline.reason()?.kind).toBe('too-slow');
    expect(deadline.signal.aborted).toBe(true);
  });

  test('none is left running after the end', () => {
    const deadline = start();
    deadline.headersArrived();
    deadline.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(deadline.reason()).toBeNull();
  });
});
