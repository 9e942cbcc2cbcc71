import { expect, test } from 'vitest';
import { liveTokens } from '../servers/slack/live-tokens.ts';

test.each<[string, readonly string[]]>([
  ['plain text, 3 < 5 > 2, a@b, @channel', []],
  ['<!channel> and <!subteam^S1|team>', ['<!channel>', '<!subteam^S1|team>']],
  ['<@U1> in <#C1|general>', ['<@U1>', '<#C1|general>']],
  ['&lt;!channel&gt; &lt;@U1&gt;', []],
  ['<https://a.example|bank> <mailto:a@b.example>', ['<https://a.example|bank>', '<mailto:a@b.example>']],
  [
    '[1](https://a.example/x_(y)) [[2]](https://b.example)',
    ['[1](https://a.example/x_(y))', '[[2]](https://b.example)'],
  ],
  ['![image](https://a.example/i.png)', ['![image](https://a.example/i.png)']],
  ['see https://a.example/x?y=1&z=2 now', ['https://a.example/x?y=1&z=2']],
  ['\\[not a link](https://a.example)', ['https://a.example']],
  ['`<!here>` and ``a ` <@U1>`` but <@U2>', ['<@U2>']],
  ['```\n<!here>\nhttps://a.example\n```\nhttps://b.example', ['https://b.example']],
  ['- ~~~ts\n  <@U1>\n  ~~~\n<@U2>', ['<@U2>']],
  ['an unclosed ` tick <@U1>', ['<@U1>']],
  ['\\`<@U1>\\`', ['<@U1>']],
  ['[a]: https://a.example', ['https://a.example']],
])('finds in %j what Slack would make live', (text, expected) => {
  expect(liveTokens(text)).toEqual(expected);
});
