import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PdfReader, PdfText } from '../core/ports.ts';

/** A PDF of 50 pages takes a second; one that is made to exhaust its reader takes for ever. */
const LONGEST_MS = 10_000;
/** In megabytes. A thread would not do: where its memory ends, V8 ends the whole process. */
const LARGEST_HEAP = 256;
const PROCESS = fileURLToPath(new URL('pdf-process.ts', import.meta.url));

/** Reads PDFs, each in a process of its own: a hostile one can then neither hold up the service nor use up its memory. */
export const readPdf: PdfReader = (bytes, { pages, chars }, signal) =>
  new Promise((resolve) => {
    const args = [`--max-old-space-size=${LARGEST_HEAP}`, PROCESS, String(pages), String(chars)];
    const child = spawn(process.execPath, args, {
      // Its warnings quote the file.
      stdio: ['pipe', 'pipe', 'ignore'],
      // It has no use for tokens.
      env: {},
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      signal,
    });
    const said: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => said.push(piece));
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code === 0 ? parse(Buffer.concat(said)) : null));
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined).end(bytes);
  });

function parse(said: Buffer): PdfText | null {
  try {
    // As pdf-process.ts writes it.
    return JSON.parse(said.toString()) as PdfText;
  } catch {
    return null;
  }
}
