import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readPdf } from '../../src/pdf/read-pdf.ts';
import { makePdf } from '../support/pdf.ts';

const LIMITS = { pages: 50, chars: 10_000 };
const signal = new AbortController().signal;

test('the pages of a PDF are read in order', async () => {
  expect(await readPdf(makePdf(['Tides (high)', 'and low']), LIMITS, signal)).toEqual({
    text: 'Tides (high)\n\nand low',
    pages: 2,
    pagesRead: 2,
    isCut: false,
  });
});

test('no more than the limits are read', async () => {
  const long = makePdf(Array.from({ length: 200 }, (_, i) => `page ${i}`));
  expect(await readPdf(long, LIMITS, signal)).toMatchObject({ pages: 200, pagesRead: 50 });
  const wide = await readPdf(makePdf(['x'.repeat(50), 'y']), { pages: 50, chars: 30 }, signal);
  expect(wide).toMatchObject({ text: 'x'.repeat(30), pagesRead: 1, isCut: true });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['no PDF', Buffer.from('hello')],
  ['a PDF that ends early', makePdf(['one']).subarray(0, 60)],
])('%s is none', async (_what, bytes) => {
  expect(await readPdf(bytes, LIMITS, signal)).toBeNull();
});

test('a page that unpacks to more than there is room for ends its own process alone', async () => {
  const packed = deflateSync(Buffer.alloc(400_000_000, '(x) Tj '), { level: 9 });
  const page = makePdf(['PLACE']).toString('latin1');
  const bomb = page.replace(
    /<< \/Length \d+ >>\nstream\n[^]*?\nendstream/,
    `<< /Length ${packed.length} /Filter /FlateDecode >>\nstream\n${packed.toString('latin1')}\nendstream`,
  );
  const before = process.memoryUsage().rss;
  const read = await readPdf(Buffer.from(bomb, 'latin1'), LIMITS, signal);
  expect(read === null || read.isCut).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(900_000_000);
}, 60_000);

test('it is given up when its answer is', async () => {
  const stopped = new AbortController();
  const reading = readPdf(makePdf(['one']), LIMITS, stopped.signal);
  stopped.abort();
  expect(await reading).toBeNull();
});
