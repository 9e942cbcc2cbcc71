/** The process that reads one PDF: from its input, as many pages and characters as its arguments say. */
import { buffer } from 'node:stream/consumers';
import { getDocumentProxy } from 'unpdf';
import type { PdfText } from '../core/ports.ts';

async function readText(bytes: Uint8Array, pages: number, chars: number): Promise<PdfText> {
  const document = await getDocumentProxy(bytes);
  const read: string[] = [];
  let left = chars;
  for (let number = 1; number <= Math.min(pages, document.numPages) && left > 0; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const words = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''));
    const text = words.join('').trim();
    read.push(text.slice(0, left));
    left -= text.length;
    page.cleanup();
  }
  return {
    text: read.join('\n\n').trim(),
    pages: document.numPages,
    pagesRead: read.length,
    isCut: left < 0,
  };
}

const [pages, chars] = process.argv.slice(2).map(Number);
const bytes = new Uint8Array(await buffer(process.stdin));
process.stdout.write(JSON.stringify(await readText(bytes, pages ?? 0, chars ?? 0)));
