/** Answers such as models write in twelve scripts, from a seed. */
import fc from 'fast-check';

interface Script {
  readonly words: string;
  /** What stands between two words. */
  readonly gap: string;
  readonly stop: string;
  readonly colon: string;
  readonly quotes: readonly [string, string];
}

const SPACED = { gap: ' ', stop: '.', colon: ':', quotes: ['“', '”'] } as const;
const WIDE = { gap: '', stop: '。', colon: '：', quotes: ['「', '」'] } as const;

const PURE: Readonly<Record<string, Script>> = {
  Latin: { ...SPACED, words: 'tower Köln année river Node.js x 1889 e.g. data Łódź' },
  Cyrillic: { ...SPACED, words: 'башня река город год 1889 высота ещё Київ', quotes: ['«', '»'] },
  Greek: { ...SPACED, words: 'πύργος ποτάμι πόλη έτος 1889 ύψος', quotes: ['«', '»'] },
  Arabic: { ...SPACED, words: 'برج نهر مدينة سنة 1889 ارتفاع', quotes: ['«', '»'] },
  Hebrew: { ...SPACED, words: 'מגדל נהר עיר שנה 1889 גובה' },
  Devanagari: { ...SPACED, words: 'मीनार नदी शहर वर्ष १८८९ ऊँचाई', stop: '।' },
  Thai: { ...SPACED, words: 'หอคอย แม่น้ำ เมือง ปี 1889 ความสูง', gap: '' },
  Chinese: { ...WIDE, words: '铁塔 河流 城市 年份 1889 高度', quotes: ['“', '”'] },
  Japanese: { ...WIDE, words: '塔 川 まち ネン 1889 高さ' },
  Korean: { ...SPACED, words: '탑은 강이 도시를 연도 1889 높이', quotes: ['「', '」'] },
  Emoji: { ...SPACED, words: '🗼 👩‍👩‍👧‍👦 👍🏽 🇫🇷 ❤️ 1889 ok' },
};

const all = Object.values(PURE);
const MIXED: Script = { ...SPACED, words: all.map(({ words }) => words).join(' '), gap: '' };
export const SCRIPTS: Readonly<Record<string, Script>> = { ...PURE, Mixed: MIXED };

export const PAGES = [
  'https://site1.example/page',
  'https://www.news.example/2026/a_b',
  'https://c.example/x?y=1',
];

/** Nobody writes two marks side by side, and a mark between digits is a product. */
function joined(parts: readonly string[], { gap, words }: Script): string {
  const [word = ''] = words.split(' ');
  return parts.reduce(
    (text, part) => `${text}${gap}${/[*~`\d१८९]$/.test(text) && /^[*~`]/.test(part) ? word : ''}${part}`,
  );
}

/** A document in one script. */
export function answerArb(script: Script): fc.Arbitrary<string> {
  const word = fc.constantFrom(...script.words.split(' '));
  const words = fc.array(word, { minLength: 1, maxLength: 5 }).map((list) => list.join(script.gap));
  const [open, close] = script.quotes;
  const edged = fc.oneof(
    words,
    words.map((text) => `${open}${text}${close}`),
    words.map((text) => `${text}${script.colon}`),
    words.map((text) => `${text}（${text}）`),
    words.map((text) => `(${text})`),
  );
  const mark = fc.constantFrom('**', '**', '**', '*', '~~', '***');
  const page = fc.constantFrom(...PAGES);
  // A letter beside a single mark and punctuation takes its meaning, and beside an address becomes a part of it.
  const apart = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> => inner.map((text) => ` ${text} `);
  const marked = fc
    .tuple(mark, edged)
    .map(([each, text]) => (each.length === 1 ? ` ${each}${text}${each} ` : `${each}${text}${each}`));
  const inline = fc.oneof(
    { weight: 5, arbitrary: words },
    { weight: 3, arbitrary: marked },
    { weight: 1, arbitrary: words.map((text) => `\`${text}\``) },
    { weight: 1, arbitrary: words.map((text) => `**\`${text}\`${script.colon}**`) },
    { weight: 1, arbitrary: fc.constantFrom('[1]', '[2][3]', '[1-3]', '[1, 2]', '[1 & 3]') },
    { weight: 1, arbitrary: apart(fc.tuple(words, page).map(([text, url]) => `[${text}](${url})`)) },
    { weight: 1, arbitrary: apart(page) },
    { weight: 1, arbitrary: words.map((text) => `<b>${text}</b>`) },
    {
      weight: 1,
      arbitrary: apart(fc.constantFrom('snake_case', '~5', 'a < b', '# 1', '5 * 3', 'R&D', '$5')),
    },
  );
  const sentence = fc
    .array(inline, { minLength: 1, maxLength: 8 })
    .map((parts) => `${joined(parts, script)}${script.stop}`.replace(/ {2,}/g, ' ').trim());
  const cell = fc.oneof(
    words,
    marked.map((text) => text.trim()),
  );
  const block = fc.oneof(
    { weight: 4, arbitrary: sentence },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('#', '##', '####'), words)
        .map(([hashes, text]) => `${hashes} ${text}`),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(sentence, { minLength: 1, maxLength: 4 })
        .map((list) => list.map((text) => `- ${text}`).join('\n')),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(sentence, { minLength: 1, maxLength: 3 })
        .map((list) => list.map((text, at) => `${at + 1}. ${text}\n   - ${text}`).join('\n')),
    },
    { weight: 1, arbitrary: sentence.map((text) => `> ${text}`) },
    { weight: 1, arbitrary: words.map((text) => `\`\`\`py\n${text}\n\`\`\``) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(cell, cell), { minLength: 2, maxLength: 4 })
        .map(([head = ['', ''], ...rows]) =>
          [`| ${head.join(' | ')} |`, '|---|---|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'),
        ),
    },
  );
  return fc.array(block, { minLength: 1, maxLength: 5 }).map((blocks) => blocks.join('\n\n'));
}
