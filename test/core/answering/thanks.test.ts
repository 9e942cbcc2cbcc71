import { describe, expect, test } from 'vitest';
import { isThanks } from '../../../src/core/answering/thanks.ts';
import { question } from '../fakes.ts';

const said = (text: string, fields = {}) => isThanks(question({ trigger: 'thread', text, ...fields }));

describe('a bare thanks', () => {
  test.each([
    'thanks!',
    'Thank you',
    'THANK YOU SO MUCH!!!',
    'thanks 🙏',
    'ok, thanks.',
    'danke',
    'Danke schön 😊',
    'Vielen Dank!',
    'merci',
    'Merci beaucoup 👍🏽',
    'gracias',
    'ty',
    '👍',
    '👍🏿',
    '❤️',
    ':+1:',
    'thx :pray::skin-tone-3:',
    'спасибо!',
    'ありがとうございます！',
    '谢谢',
    'teşekkürler',
  ])('is %s', (text) => expect(said(text)).toBe(true));

  test.each([
    '',
    'thanks, and what about 2024?',
    'how do you say thank you in Danish?',
    'thanks?',
    'tyre pressure',
    '🤔',
    '👎',
    'why 👍',
    'merci is a word',
    'tak for what',
  ])('is not %j', (text) => expect(said(text)).toBe(false));

  test('is none behind a mention, in a command, or with a file', () => {
    expect(said('thanks', { trigger: 'mention' })).toBe(false);
    expect(said('thanks', { trigger: 'command' })).toBe(false);
    const attachments = [{ name: 'a.png', type: null, bytes: null, url: null }];
    expect(said('thanks', { attachments })).toBe(false);
    expect(said('thanks', { trigger: 'dm' })).toBe(true);
    expect(said('thanks', { trigger: 'reply' })).toBe(true);
  });
});
