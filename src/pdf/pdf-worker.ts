/** The thread that reads one PDF. */
import { parentPort, workerData } from 'node:worker_threads';
import { getDocumentProxy } from 'unpdf';
import type { PdfLimits, PdfText } from '../core/ports.ts';

const { bytes, pages, chars } = workerData as PdfLimits & { readonly bytes: Uint8Array }; // As read-pdf.ts gives it.

async function readText(): Promise<PdfText> {
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

parentPort?.postMessage(await readText());
