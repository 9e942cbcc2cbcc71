/**
 * Prints, as JSON, how much work streaming each kind of document takes at two lengths. A process of its own, for
 * flags of the engine without which the counts differ from run to run.
 */
import { Session } from 'node:inspector/promises';
import { discordMarkdown, slackMarkdown } from '../../src/markdown/dialects.ts';
import { createRendering } from '../../src/markdown/rendering.ts';

/** Not those of the properties: what is loaded is counted too, and takes its time. */
const dialects = [slackMarkdown, discordMarkdown];
const sources = [1, 2].map((number) => ({
  number,
  url: `https://news.site.org/${number === 1 ? 'x' : number}`,
  title: '',
  date: null,
  snippet: null,
}));

/** How often any block of our code ran, as the engine itself counts: a measure of work that no busy machine changes. */
async function countWork(run: () => void): Promise<number> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  run();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  session.disconnect();
  return result
    .filter(({ url }) => url.includes('/src/markdown/') || url.includes('/marked/'))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
    .reduce((sum, count) => sum + count, 0);
}

const PARAGRAPH =
  'Some **bold** words, a [link](https://news.site.org/x) and a claim [1][2] that *needs* `code`. ';
const WORDS =
  "Ordinary words, as most of a text is made of them, don't need a closer look; each is added as it is. ";
const documents: Readonly<Record<string, (length: number) => string>> = {
  words: (length) => WORDS.repeat(length).slice(0, length),
  paragraphs: (length) => `${PARAGRAPH.repeat(4)}\n\n`.repeat(length).slice(0, length),
  'one paragraph': (length) => PARAGRAPH.repeat(length).slice(0, length),
  code: (length) => `\`\`\`ts\n${'const value = compute(1, 2);\n'.repeat(length)}`.slice(0, length),
  'a list': (length) => `- ${PARAGRAPH}\n`.repeat(length).slice(0, length),
  'a table': (length) =>
    `| a | b |\n|---|---|\n${'| one **two** | three [1] |\n'.repeat(length)}`.slice(0, length),
  'a word without end': (length) => 'abcdefghij'.repeat(length).slice(0, length),
  'open brackets': (length) => '['.repeat(length),
  'open marks': (length) => '**a '.repeat(length).slice(0, length),
  backticks: (length) => '`'.repeat(length),
  'open formulas': (length) => '$x^ \\\\(y_ $$'.repeat(length).slice(0, length),
  'one-sided dollars': (length) => '$x'.repeat(length).slice(0, length),
  'wide brackets': (length) => '【1, '.repeat(length).slice(0, length),
  'numbers in brackets': (length) => '[1, 2, '.repeat(length).slice(0, length),
  quotes: (length) => '>'.repeat(length),
  spaces: (length) => ' '.repeat(length),
};

function stream(text: string, step: number): () => void {
  return () => {
    for (const dialect of dialects) {
      const rendering = createRendering(dialect);
      for (let end = step; end < text.length; end += step) {
        rendering.update(text.slice(0, end), sources, false);
        void rendering.parts.at(-1);
      }
      rendering.update(text, sources, true);
    }
  };
}

const counts: Record<string, { readonly short: number; readonly long: number }> = {};
for (const [name, make] of Object.entries(documents)) {
  counts[name] = {
    short: await countWork(stream(make(1_500), 30)),
    long: await countWork(stream(make(9_000), 30)),
  };
}
process.stdout.write(JSON.stringify(counts));
