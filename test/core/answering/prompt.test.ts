import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_HISTORY, type HistoryWindow } from '../../../src/core/answering/history.ts';
import { composePrompt } from '../../../src/core/answering/prompt.ts';
import type { Turn } from '../../../src/core/types.ts';
import { question } from '../fakes.ts';

const user = (text: string, id = 'U1', name: string | null = 'Ann'): Turn => ({
  role: 'user',
  author: { id, name },
  text,
  at: 0,
});
const bot = (text: string): Turn => ({ role: 'assistant', author: null, text, at: 0 });
const history = (newest: readonly Turn[], fields: Partial<HistoryWindow> = {}): HistoryWindow => ({
  ...EMPTY_HISTORY,
  exchanges: newest.length / 2,
  newest,
  ...fields,
});

describe('compose', () => {
  test('a lone question is one message without a label', () => {
    const { messages, isTrimmed } = composePrompt(question({ text: 'Why?' }), EMPTY_HISTORY, 1_000);
    expect(messages).toEqual([{ role: 'user', text: 'Why?' }]);
    expect(isTrimmed).toBe(false);
  });

  test('earlier turns come first and the question last, once', () => {
    const { messages } = composePrompt(
      question({ text: 'And now?' }),
      history([user('Then?'), bot('So.')]),
      1_000,
    );
    expect(messages.map((m) => m.text)).toEqual(['Then?', 'So.', 'And now?']);
  });

  test('speakers are named once there are two, and neighbours of one role become one message', () => {
    const said = [user('Hello', 'U1', 'Ann'), user('Hi', 'U2', null), bot('Yes?')];
    const { messages } = composePrompt(question({ text: 'So?' }), history(said), 1_000);
    expect(messages.map((m) => m.role)).toEqual(['user', 'assistant', 'user']);
    expect(messages[0]?.text).toBe('[Ann] says:\n> Hello\n\n[Person 2] says:\n> Hi');
    expect(messages[2]?.text).toBe('[Ann] says:\n> So?');
  });

  test('the beginning and the newest turns survive a small budget', () => {
    const long = Array.from({ length: 20 }, (_, n) => [
      user(`ask ${n} ${'x'.repeat(80)}`),
      bot(`say ${n} ${'y'.repeat(80)}`),
    ]);
    const { messages, isTrimmed } = composePrompt(question({ text: 'last' }), history(long.flat()), 1_000);
    const all = messages.map((m) => m.text).join('\n');
    expect(isTrimmed).toBe(true);
    expect(all).toContain('ask 0');
    expect(all).toContain('say 19');
    expect(all).not.toContain('ask 9 ');
    expect(all.length).toBeLessThan(1_300);
  });

  test('one enormous turn is shortened, not the whole thread dropped', () => {
    const { messages, isTrimmed } = composePrompt(
      question(),
      history([user('q'), bot('z'.repeat(60_000))]),
      9_000,
    );
    expect(isTrimmed).toBe(true);
    expect(messages[1]?.text.length).toBeLessThan(3_100);
  });

  test('quoted text, attachments and titles are told', () => {
    const asked = question({
      text: 'Is it so?',
      quotes: [{ author: 'Bob', text: 'The sky\nis green', attachments: [] }],
      attachments: [{ name: 'a.pdf', type: 'application/pdf', bytes: 1, url: null }],
      title: 'Colours',
    });
    const { messages, framing } = composePrompt(asked, EMPTY_HISTORY, 1_000);
    expect(framing).toContain('never instructions');
    expect(messages).toHaveLength(1);
    expect(messages[0]?.text.split('\n\n')).toEqual([
      'The title of this thread:\n> Colours',
      '[Ann] points at a message by [Bob]:\n> The sky\n> is green',
      '[Ann] says:\n> Is it so?',
      '[Ann] attached, but you cannot read it:\n> a.pdf',
    ]);
  });

  test('a bare mention under a title asks what the title asks', () => {
    const asked = question({ text: '', title: 'How tall is it?' });
    expect(composePrompt(asked, EMPTY_HISTORY, 1_000).messages).toEqual([
      {
        role: 'user',
        text: 'The title of this thread:\n> How tall is it?\n\n[Ann] asks what the title of this thread asks.',
      },
    ]);
  });

  test('a message pointed at without a word is asked about', () => {
    const quotes = [{ author: null, text: 'It is round', attachments: [] }];
    const [only] = composePrompt(question({ text: '', quotes }), EMPTY_HISTORY, 1_000).messages;
    expect(only?.text).toMatch(/^\[Ann\] points at a message:\n> It is round\n\n\[Ann\] asks what /);
  });

  test('a message that others have shared without a word is not asked about', () => {
    const quotes = [{ author: 'Bob', text: 'It is round', attachments: [] }];
    const shared = { ...user('', 'U2', 'Cy'), quotes };
    const history = { ...EMPTY_HISTORY, newest: [shared] };
    const [only] = composePrompt(question({ text: 'Is it?' }), history, 1_000).messages;
    expect(only?.text).toBe('[Cy] points at a message by [Bob]:\n> It is round\n\n[Ann] says:\n> Is it?');
  });

  test('whatever was said, roles alternate, the first and the last are the user, the question is there once', () => {
    const turns = fc.array(
      fc.oneof(
        fc.tuple(fc.string(), fc.constantFrom('U1', 'U2', 'U3')).map(([text, id]) => user(text, id, null)),
        fc.string().map(bot),
      ),
    );
    fc.assert(
      fc.property(turns, turns, fc.integer({ min: 600, max: 20_000 }), (root, newest, budget) => {
        const { messages } = composePrompt(
          question({ text: '§question§', title: null }),
          history(newest, { root }),
          budget,
        );
        expect(messages[0]?.role).toBe('user');
        expect(messages.at(-1)?.role).toBe('user');
        messages.slice(1).forEach((m, i) => expect(m.role).not.toBe(messages[i]?.role));
        expect(
          messages
            .map((m) => m.text)
            .join('\n')
            .split('§question§'),
        ).toHaveLength(2);
      }),
    );
  });
});
