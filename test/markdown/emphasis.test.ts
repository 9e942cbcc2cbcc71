import { describe, expect, test } from 'vitest';
import { shownEachWay } from './each-way.ts';
import { source } from './property.ts';

/** The text on both platforms; on Slack a thin space, here `·`, stands where CommonMark would not see a mark. */
function shown(text: string): { slack: string; discord: string } {
  const { slack, discord } = shownEachWay(text);
  return { slack: slack.replaceAll('\u2009', '·'), discord };
}

describe('emphasis beside letters', () => {
  test.each([
    // Chinese, Japanese, Korean
    ['**注意：**正文', '**注意：**·正文'],
    ['含**「重点」**内容', '含·**「重点」**·内容'],
    ['**Markdown（マークダウン）**は軽量。', '**Markdown（マークダウン）**·は軽量。'],
    ['~~删除（括号）。~~这个句子', '~~删除（括号）。~~·这个句子'],
    ['- **名称（Name）：**x', '- **名称（Name）：**·x'],
    ['這是**粗體**文字', '這是**粗體**文字'],
    ['这是*「斜体」*文字', '这是·*「斜体」*·文字'],
    ['**“引号”**后面，***「重」***点', '**“引号”**·后面，***「重」***·点'],
    ['これは**「太字」**です。', 'これは·**「太字」**·です。'],
    ['**重要（じゅうよう）**な点', '**重要（じゅうよう）**·な点'],
    ['**「강조」**입니다', '**「강조」**·입니다'],
    ['**마크다운(Markdown)**은 쉽다', '**마크다운(Markdown)**·은 쉽다'],
    ['*「기울임」*을 쓴다', '*「기울임」*·을 쓴다'],
    ['**`코드`**를 쓴다', '**`코드`**·를 쓴다'],
    ['> **注：**正文\n\n1. **甲：**乙', '> **注：**·正文\n\n1. **甲：**·乙'],
    // Thai, Lao, Khmer
    ['**ราคา:**5 บาท', '**ราคา:**·5 บาท'],
    ['คำว่า**"ตัวหนา"**ครับ', 'คำว่า·**"ตัวหนา"**·ครับ'],
    ['*หมายเหตุ:*ข้อความ', '*หมายเหตุ:*·ข้อความ'],
    ['**ໝາຍເຫດ:**ຂໍ້ຄວາມ', '**ໝາຍເຫດ:**·ຂໍ້ຄວາມ'],
    // Scripts with spaces
    ['**Note:**text', '**Note:**·text'],
    ['word**(bold)**word', 'word·**(bold)**·word'],
    ['**Важно:**текст', '**Важно:**·текст'],
    ['слово**«жирное»**слово', 'слово·**«жирное»**·слово'],
    ['**Σημείωση:**κείμενο', '**Σημείωση:**·κείμενο'],
    ['**ملاحظة:**نص', '**ملاحظة:**·نص'],
    ['**הערה:**טקסט', '**הערה:**·טקסט'],
    ['**नोट:**पाठ', '**नोट:**·पाठ'],
    ['~~old.~~new', '~~old.~~·new'],
    ['**😀**text and text**👍🏽**', '**😀**·text and text·**👍🏽**'],
    ['**100%**of', '**100%**·of'],
    ['字***重***点', '字***重***点'],
    ['**1889**1889', '**1889**1889'],
  ])('%s', (text, onSlack) => {
    expect(shown(text)).toEqual({ slack: onSlack, discord: text });
  });

  test.each([
    ['**a *b* c**', '**a *b* c**'],
    ['***both***', '***both***'],
    ['**bold *and it***', '**bold *and it***'],
    ['*it **and bold***', '*it **and bold***'],
    ['_under_ __score__', '*under* **score**'],
    ['**w w **', '**w w**'],
    ['- **a b **\nc', '- **a b**\n  c'],
    ['~~gone ~~', '~~gone~~'],
    ['**a `b**` c**', 'a `b**` c'],
    ['**see [x*](http://a.example/*y) z**', 'see x\\* (`a.example/*y`) z'],
  ])('%s has its meaning', (text, expected) => {
    expect(shownEachWay(text).discord).toBe(expected);
  });

  test.each([
    ['2*3*4 and 2**3**4', '2\\*3\\*4 and 2\\*\\*3\\*\\*4'],
    ['10**6 and 10**9', '10\\*\\*6 and 10\\*\\*9'],
    ['5 * 3 * 2', '5 \\* 3 \\* 2'],
    ['a*(b+c)*d', 'a\\*(b+c)\\*d'],
    ['f(*args, **kwargs)', 'f(\\*args, \\*\\*kwargs)'],
    ['snake_case_word and _x_y', 'snake\\_case\\_word and \\_x\\_y'],
    ['~5 to 7~, H~2~O', '\\~5 to 7\\~, H\\~2\\~O'],
    ['**open', '\\*\\*open'],
    ['close**', 'close\\*\\*'],
    ['** spaced **', '\\*\\* spaced \\*\\*'],
    ['**a\n\nb**', '\\*\\*a\n\nb\\*\\*'],
  ])('%s has none', (text, expected) => {
    expect(shownEachWay(text).discord).toBe(expected);
  });

  test('keeps a citation in it', () => {
    const { slack, discord } = shownEachWay('**注意[1]：**正文', [source(1, 'https://s1.example/page')]);
    expect(discord).toBe('**注意[[1]](<https://s1.example/page>)：**正文');
    expect(slack.replaceAll('\u2009', '·')).toBe('**注意·[1](https://s1.example/page)：**·正文');
  });

  test.each([
    ['[1]**甲：**乙', '@·**甲：**·乙'],
    ['字**[1]注**', '字·**@·注**'],
    ['字**[1]**字', '字·**@**·字'],
    ['*a*[1]**b**', '*a*·@·**b**'],
    ['**a***b*', '**a**·*b*'],
  ])('%s keeps its gaps outside', (text, expected) => {
    const { slack } = shownEachWay(text, [source(1, 'https://s1.example/page')]);
    expect(slack.replaceAll('\u2009', '·').replaceAll('[1](https://s1.example/page)', '@')).toBe(expected);
  });
});

describe('long mark-up', () => {
  const words = 'word '.repeat(180).trim();
  const chinese = '字'.repeat(700);
  test.each([
    `**${words}**`,
    `*${words}*`,
    `~~${words}~~`,
    `***${words}***`,
    `\`${words}\``,
    `- **${words}** and more`,
    `> *${words}*`,
    `**${chinese}**正文`,
    `*Note: ${'a disclaimer '.repeat(32).trim()}.*`,
    `so **${words}**, and *${words}*`,
    `**${'a *b* c '.repeat(60).trim()}**`,
  ])('%.20s… keeps its marks', (text) => {
    const { slack, discord } = shownEachWay(text);
    expect(discord.replaceAll(/\n=====\n/g, ' ')).toBe(text);
    expect(slack).toBe(text);
  });

  test('of formulas is code', () => {
    const formula = `x_1 + ${'y_2 + '.repeat(70)}z`;
    for (const text of [`$${formula}$`, `\\(${formula}\\)`, `$$${formula}$$`, `so \\[${formula}\\] is`]) {
      expect(shownEachWay(text).slack).toContain(`\`${formula}\``);
      expect(shownEachWay(text).discord).toContain(`\`${formula}\``);
    }
  });
});
