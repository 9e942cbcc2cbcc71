import { expect, test } from 'vitest';
import { shownEachWay } from './each-way.ts';

test.each([
  ['press <kbd>Ctrl</kbd>+<kbd>C</kbd> now', 'press Ctrl+C now'],
  ['<b>bold</b> and <i>it</i>', 'bold and it'],
  ['x<sup>2</sup> and H<sub>2</sub>O', 'x2 and H2O'],
  ['<details>\n<summary>More</summary>\n\nwords\n</details>', 'More\n\nwords'],
  ['a <!-- note --> b', 'a b'],
  ['<!-- note -->\nwords', 'words'],
  ['one<br>two<br/>three<br />four', 'one two three four'],
  ['<p>one</p><p>two</p>', 'one two'],
  ['<span style="color: red">red</span> <font color=red>too</font>', 'red too'],
  ['<a href="http://evil.example">label</a>', 'label'],
  ['- <b>item</b>\n- <u>other</u>', '- item\n- other'],
  ['> <em>quote</em>', '> quote'],
  ['## <b>Title</b>', '## Title'],
  ['**<u>both</u>**', '**both**'],
  ['<STRONG>loud</STRONG>', 'loud'],
  ['<mark>注意</mark>正文', '注意正文'],
  ['<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>字', '漢(かん)字'],
  ['<div align="center">middle</div>', 'middle'],
  ['<b class="a\nb">two lines</b>', 'two lines'],
])('%j is shown as its words', (text, expected) => {
  const { slack, discord } = shownEachWay(text);
  const lines = (shown: string): string => shown.trim().replace(/ +\n/g, '\n');
  expect([lines(slack), lines(discord)]).toEqual([expected, expected]);
});

test.each([
  ['1 < 2 and <x> or <T>', '1 &lt; 2 and &lt;x&gt; or &lt;T&gt;', '1 \\< 2 and \\<x> or \\<T>'],
  ['<script>x</script>', '&lt;script&gt;x&lt;/script&gt;', '\\<\u200b/script>'],
  ['a <b', 'a &lt;b', 'a \\<b'],
  ['<bold>', '&lt;bold&gt;', '\\<bold>'],
])('%j is no tag of text', (text, onSlack, onDiscord) => {
  const { slack, discord } = shownEachWay(text);
  expect(slack).toBe(onSlack);
  expect(discord).toContain(onDiscord);
});

test.each([
  ['<b></b># no heading', '\\# no heading'],
  ['<b> # no heading', '\\# no heading'],
  ['<b></b>\n- item', '- item'],
  ['<!-- x -->> no quote', '\\> no quote'],
  ['`<b>code</b>`', '`<b>code</b>`'],
])('%j leaves nothing that begins a block', (text, expected) => {
  expect(shownEachWay(text).discord.trim()).toBe(expected);
});

test('what a tag divides is read as one', () => {
  expect(shownEachWay('@<b></b>everyone e<i></i>vil.example http:<u></u>//evil.example')).toEqual({
    slack: '@\u200beveryone `evil.example` `evil.example`',
    discord: '@\u200beveryone evil.example `evil.example`',
  });
});
