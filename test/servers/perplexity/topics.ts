/**
 * What the stand-in answers. The last user text is looked at, without regard to case; the first match wins:
 *
 *   echo                    the messages and options it was sent, as JSON in a fence
 *   long 9000, long answer  an answer of that many characters (30,000 without a number), every kind of block in it
 *   out of range            citations [1] [2] [99] with two sources
 *   hostile                 live mentions, foreign links, images, bidi controls, a link that is not a source
 *   no sources              an answer without any source
 *   late sources            cited text whose sources come only after the text
 *   empty answer            no text at all
 *   table, code             an answer with a Markdown table, with fenced code
 *   what did I ask, before? and …?
 *                           with earlier user turns: an answer that quotes them; without: the default
 *   report                  with a report earlier in the conversation: its lines that share most words with the question
 *   anything else           four cited sentences that name the question
 *
 * Words such as `fault:cut` in the same text choose a fault: see `faults.ts`.
 */
import { longAnswer } from './long-answer.ts';
import { PAGES, type Page } from './sources.ts';

/** One message as either API received it, system prompt left out. */
export interface Said {
  readonly role: string;
  readonly text: string;
}

export interface Topic {
  readonly text: string;
  readonly sources: readonly Page[];
  /** True: the sources are announced after the text. */
  readonly isLate: boolean;
  readonly related: readonly string[];
}

/** Chooses the answer for a conversation; `whole` is the request's body, for `echo`. */
export function topicFor(said: readonly Said[], whole: unknown): Topic {
  return (
    specialTopic(said, whole) ?? fromReport(said) ?? topic(cited(said.at(-1)?.text ?? ''), PAGES.slice(0, 4))
  );
}

/** The same, but null when the question asks for nothing special. */
export function specialTopic(said: readonly Said[], whole: unknown): Topic | null {
  const question = said.at(-1)?.text ?? '';
  const earlier = said.filter((one, index) => one.role === 'user' && index < said.length - 1);
  if (/\becho\b/i.test(question)) return topic(echoed(whole), []);
  const long = /\blong (?:answer|(\d+))/i.exec(question);
  if (long || /^\s*long\s*$/i.test(question)) return topic(longAnswer(Number(long?.[1] ?? 30_000)), PAGES);
  if (/out of range/i.test(question)) return topic(OUT_OF_RANGE, PAGES.slice(0, 2));
  if (/\bhostile\b/i.test(question)) return topic(HOSTILE, PAGES.slice(0, 3));
  if (/no sources/i.test(question)) return topic(UNSOURCED, []);
  if (/late sources/i.test(question)) return { ...topic(cited(question), PAGES.slice(0, 3)), isLate: true };
  if (/empty answer/i.test(question)) return topic('', []);
  if (/\btable\b/i.test(question)) return topic(TABLE, PAGES);
  if (/\bcode\b/i.test(question)) return topic(CODE, PAGES.slice(0, 3));
  if (earlier.length > 0 && ASKS_BACK.test(question)) return topic(recalled(earlier), PAGES.slice(0, 3));
  return null;
}

const ASKS_BACK = /what did (?:i|we) (?:just )?ask|\bbefore\s*\?|(?:^|[:>]\s*)and\b[^?]*\?/i;

function topic(text: string, sources: readonly Page[]): Topic {
  const related = [
    'How long do the turbines last?',
    'What does a megawatt-hour cost?',
    'Who owns the sea bed?',
  ];
  return { text, sources, isLate: false, related };
}

/** One line of at most 120 characters. */
export function quoted(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').slice(0, 120);
}

function cited(question: string): string {
  return [
    `You asked: “${quoted(question)}”. In short: the first year went **better than expected**, and most of the figures are now public [1].`,
    'Output stayed within four percent of the forecast, since tides can be known years ahead [1][3]. The lost hours had one main cause: growth on the blades, which no model had priced in [2].',
    'Along the coast two in three people are in favour, mostly because of the work it brings [4]. The next figures are due in spring, and they will show whether the second winter confirms the first [3].',
  ].join('\n\n');
}

function recalled(earlier: readonly Said[]): string {
  const list = earlier.map((one, index) => `${index + 1}. “${quoted(one.text)}”`).join('\n');
  return `Before this you asked:\n\n${list}\n\nThe answer still stands: output stayed close to the forecast [1], and growth on the blades was the main trouble [2]. Nothing newer has been published since [3].`;
}

/** The answer to a question about a report that stands above; null without a report. */
function fromReport(said: readonly Said[]): Topic | null {
  const question = said.at(-1)?.text ?? '';
  const report = said.findLast(({ role, text }) => role === 'assistant' && /^# Report$/m.test(text))?.text;
  if (report === undefined || !/\breport\b/i.test(question)) return null;
  const asked = new Set([...wordsOf(question)].filter((word) => word !== 'report'));
  const shared = (line: string): number => [...wordsOf(line)].filter((word) => asked.has(word)).length;
  // Its summary begins with the question.
  const lines = report
    .split('\n')
    .filter((line) => /\[\d+\]/.test(line) && !line.startsWith('- The question “'));
  const [best = ''] = lines.toSorted((a, b) => shared(b) - shared(a));
  const line = quoted(best.replace(/^(?:[-*#>]|\d+\.)\s+/, ''));
  return topic(
    `The report above says: “${line}” Of what it says, this comes closest to your question.`,
    PAGES,
  );
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/\p{L}{4,}/gu));
}

function echoed(whole: unknown): string {
  return `Echo of what I was sent:\n\n\`\`\`json\n${JSON.stringify(whole, null, 2)}\n\`\`\`\n\nEnd of echo.`;
}

const OUT_OF_RANGE =
  'The arrays delivered what was promised [1]. Growth on the blades cost more hours than storms did [2]. A third figure is often quoted, but its origin is doubtful [99].';

const UNSOURCED =
  'Two and two are four. This needs no search, and none was made. Ask about the world and there will be sources.';

const TABLE = `The three sites compare like this [1][5]:

| Site | Rated MW | Output GWh | Note |
| :--- | ---: | ---: | :--- |
| North Sound | 12 | 31.4 | **best year** [1] |
| Pentle Firth | 6 | 17.9 | cable repaired in May |
| Ramsey Race | 4 | 11.7 | \`NS-02\` on loan \\| returned |

North Sound leads in output, Ramsey Race in calm. The survey on shore agrees [4].`;

const CODE = `This function gives the share of the year at full power [1]:

\`\`\`python
def capacity_factor(gwh: float, megawatts: float) -> float:
    """Share of the year at full power."""
    return gwh * 1000 / (megawatts * 8760)  # <not a mention> @everyone
\`\`\`

With 31.4 GWh and 12 MW it returns about \`0.299\`. Run it with:

\`\`\`sh
python -c "from tide import capacity_factor as f; print(f(31.4, 12))"
\`\`\`

The figures come from the yearly report [1] and the outlook [3].`;

const HOSTILE = [
  'Attention @everyone and @here, also <!channel>, <!here>, <!subteam^S1>, <@U1>, <@123456789012345678>, <@&42>, <#C1>.',
  'Sign in at [bank.com](http://evil.example/login) or [a source’s name](https://energy.example.org.evil.example/x) at once [1].',
  'See also https://not-a-source.example/page and <https://evil.example|grid.example.net> and <http://evil.example/auto>.',
  '![tracking](https://evil.example/pixel.png) [![badge](https://evil.example/b.svg)](https://evil.example/click)',
  'A reference [link][ref], a [script](javascript:alert(1)), raw <a href="https://evil.example">html</a>.',
  'Bidi: \u202Etxt.exe\u202C and \u2066isolated\u2069, zero\u200Bwidth, a control \u0007 and a lone tag </think>.',
  'A true source: [the report](https://energy.example.org/reports/tidal-2026) [2][3].',
  '[ref]: https://evil.example/ref',
].join('\n\n');
