import type { ModelFile } from '../types.ts';

/** What a file is by its content, whatever it is called; null for everything that cannot be read. */
export type FileContent =
  | { readonly kind: 'image'; readonly type: ModelFile['type'] }
  | { readonly kind: 'pdf' }
  | { readonly kind: 'text'; readonly text: string };

/** Recognises images and PDFs by their first bytes; what else is UTF-8 without control characters is text. */
export function recognizeFile(bytes: Uint8Array): FileContent | null {
  const head = Buffer.from(bytes.subarray(0, 1_024)).toString('latin1');
  const image = IMAGES.find(([signature]) => head.startsWith(signature));
  if (image) return { kind: 'image', type: image[1] };
  if (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) return { kind: 'image', type: 'image/webp' };
  // Readers take a PDF whose header comes late, and so must we: it is no text.
  if (/%PDF-\d/.test(head)) return { kind: 'pdf' };
  const text = decodeText(bytes);
  return text === null || hasControls(text) ? null : { kind: 'text', text };
}

const IMAGES: readonly (readonly [string, ModelFile['type']])[] = [
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff', 'image/jpeg'],
  ['GIF87a', 'image/gif'],
  ['GIF89a', 'image/gif'],
];

/** Of the control characters, text has white space, and logs escape sequences for colours. */
function hasControls(text: string): boolean {
  return /[^\P{Cc}\t\n\f\r]/u.test(text.replaceAll('\u001b', ''));
}

function decodeText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
