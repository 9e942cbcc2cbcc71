import { Worker } from 'node:worker_threads';
import type { PdfReader, PdfText } from '../core/ports.ts';

/** A PDF of 50 pages takes a second; one that is made to exhaust its reader takes for ever. */
const LONGEST_MS = 10_000;
/** In megabytes. Beyond it the thread ends, and nothing else does. */
const LARGEST_HEAP = 256;

/** Reads PDFs, each in a thread of its own: a hostile one can then neither hold up the service nor use up its memory. */
export const readPdf: PdfReader = (bytes, { pages, chars }, signal) =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./pdf-worker.ts', import.meta.url), {
      workerData: { bytes, pages, chars },
      resourceLimits: { maxOldGenerationSizeMb: LARGEST_HEAP },
      // Nothing that the service itself is started with.
      execArgv: [],
      // Its warnings quote the file.
      stdout: true,
      stderr: true,
    });
    const end = (text: PdfText | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      void worker.terminate();
      resolve(text);
    };
    const giveUp = (): void => end(null);
    const timer = setTimeout(giveUp, LONGEST_MS);
    signal.addEventListener('abort', giveUp, { once: true });
    worker.once('message', end);
    worker.once('error', giveUp);
    worker.once('exit', giveUp);
  });
