import type { FileFetcher, PdfReader } from '../ports.ts';
import type { Attachment, ModelFile, Question } from '../types.ts';
import type { Recalled } from './recall.ts';
import { recognizeFile } from './recognize-file.ts';

/** How much is read of the files of one question. */
interface FileLimits {
  /** The number of files; 0: none is opened. */
  readonly files: number;
  /** Of one file. */
  readonly bytes: number;
  /** Of a PDF. */
  readonly pages: number;
  /** Of all texts together. */
  readonly chars: number;
}

/** What is in the files of a question. */
export interface FilesRead {
  /** Images, and PDFs that the model can be given whole. */
  readonly files: readonly ModelFile[];
  /** The texts, by the name of their file. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
  /** What people are to know of the files that they point at: which are read in part, or not, and why. */
  readonly notices: readonly string[];
}

/** Of a question without any. */
export const NO_FILES: FilesRead = { files: [], texts: [], notices: [] };

/** How files are read, whichever platform they come from. */
export interface FileReading {
  readonly readPdf: PdfReader;
  readonly limits: FileLimits;
}

interface FileReader extends FileReading {
  readonly fetchFile: FileFetcher;
}

/** The Agent API takes bodies of 32 MiB, and Base64 makes four bytes of three. */
const ALL_BYTES = 20_000_000;
const LONGEST_MS = 20_000;

/** One file, as far as it could be read. */
interface OpenedFile {
  readonly name: string;
  /** Why it is not read, in a few words. */
  readonly problem?: string;
  /** How much of it is read, in a few words, where that is not all. */
  readonly part?: string;
  readonly text?: string;
  readonly file?: ModelFile;
}

/** Reads the files of a question and of its thread: see `readFiles`. */
export function readFilesOf(
  question: Question,
  { history, said }: Recalled,
  reader: FileReader,
  signal: AbortSignal,
): Promise<FilesRead> {
  const turns = [...history.root, ...history.newest, ...said.turns].toReversed();
  const ofThread = turns.flatMap(({ attachments = [], quotes = [] }) => [
    ...attachments,
    ...quotes.flatMap((quote) => quote.attachments),
  ]);
  return readFiles(reader, attachmentsOf(question), ofThread, signal);
}

/**
 * Reads the files of a question: those that came with it or with what it points at (`named`), then those of its thread, the
 * newest first, as far as the limits go. Never rejects: what cannot be read is said, of those that were named.
 */
async function readFiles(
  reader: FileReader,
  named: readonly Attachment[],
  ofThread: readonly Attachment[],
  caller: AbortSignal,
): Promise<FilesRead> {
  const most = reader.limits.files;
  const signal = AbortSignal.any([caller, AbortSignal.timeout(LONGEST_MS)]);
  const unique = new Map([...named, ...ofThread].map((file) => [file.url ?? file, file]));
  const wanted = [...unique.values()].slice(0, most);
  const opened = await Promise.all(wanted.map((attachment) => openFile(reader, attachment, signal)));
  const read = fitTogether(opened, reader.limits.chars);
  const beyond = named.slice(most).map(({ name }) => ({ name, problem: `more than ${most} files` }));
  return {
    files: read.flatMap(({ file }) => file ?? []),
    texts: read.flatMap(({ name, text }) => (text ? [{ name, text }] : [])),
    notices: describeReading([...read.slice(0, named.length), ...beyond]),
  };
}

/** The files of the question and of the messages it is about. */
function attachmentsOf({ attachments, quotes }: Question): readonly Attachment[] {
  return [...attachments, ...quotes.flatMap((quote) => quote.attachments)];
}

async function openFile(
  { fetchFile, readPdf, limits }: FileReader,
  attachment: Attachment,
  signal: AbortSignal,
): Promise<OpenedFile> {
  const { name, type, bytes: size } = attachment;
  if (type !== null && NEVER_READ.test(type)) return { name, problem: type };
  if (size !== null && size > limits.bytes) return { name, problem: tooLarge(size, limits.bytes) };
  const fetched = await fetchFile(attachment, limits.bytes, signal);
  if ('problem' in fetched) return { name, problem: fetched.problem };
  const content = recognizeFile(fetched.bytes);
  if (content === null) return { name, problem: type ?? 'a type I cannot read' };
  if (content.kind === 'text') return { name, text: content.text };
  const data = Buffer.from(fetched.bytes).toString('base64');
  if (content.kind === 'image') return { name, file: { name, type: content.type, data, text: null } };
  const pdf = await readPdf(fetched.bytes, limits, signal);
  if (pdf === null) return { name, problem: 'a PDF I cannot open' };
  const { text, pages, pagesRead } = pdf;
  if (pagesRead < pages) return { name, text, part: `${pagesRead} of ${pages} pages` };
  return { name, file: { name, type: 'application/pdf', data, text } };
}

/** Media types that need no look at the bytes. */
const NEVER_READ = /^(?:video|audio|font)\/|zip|compressed|tar$|officedocument|msword|ms-excel|ms-powerpoint/;

/** What fits of all files together, in their order. */
function fitTogether(opened: readonly OpenedFile[], chars: number): readonly OpenedFile[] {
  let bytesLeft = ALL_BYTES;
  let charsLeft = chars;
  return opened.map((read): OpenedFile => {
    const { name, file, text } = read;
    if (file) {
      const bytes = (file.data.length * 3) / 4;
      if (bytes > bytesLeft)
        return { name, problem: `the files together are larger than ${megabytes(ALL_BYTES)}` };
      bytesLeft -= bytes;
      const kept = file.text?.slice(0, charsLeft).toWellFormed() ?? null;
      charsLeft -= kept?.length ?? 0;
      return { ...read, file: { ...file, text: kept } };
    }
    if (text === undefined) return read;
    const kept = text.slice(0, charsLeft).toWellFormed();
    charsLeft -= kept.length;
    if (kept.length === text.length) return read;
    if (kept === '')
      return { name, problem: `the files together have more than ${format(chars)} characters` };
    return { ...read, text: kept, part: `${format(kept.length)} of ${format(text.length)} characters` };
  });
}

function describeReading(read: readonly OpenedFile[]): readonly string[] {
  const list = (files: readonly (readonly [string, string | undefined])[]): string =>
    files.flatMap(([name, why]) => (why === undefined ? [] : [`${name} (${why})`])).join(', ');
  const parts = list(read.map(({ name, part }) => [name, part]));
  const missing = list(read.map(({ name, problem }) => [name, problem]));
  return [...(parts ? [`Read in part: ${parts}`] : []), ...(missing ? [`Not read: ${missing}`] : [])];
}

function tooLarge(bytes: number, limit: number): string {
  return `${megabytes(bytes)} > ${megabytes(limit)}`;
}

function megabytes(bytes: number): string {
  return `${Math.max(0.1, Math.round(bytes / 100_000) / 10)} MB`;
}

function format(count: number): string {
  return count.toLocaleString('en');
}
