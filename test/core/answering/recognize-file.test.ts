import { expect, test } from 'vitest';
import { recognizeFile } from '../../../src/core/answering/recognize-file.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test.each([
  ['a PNG', '\x89PNG\r\n\x1a\n....', { kind: 'image', type: 'image/png' }],
  ['a JPEG', '\xff\xd8\xff\xe0....', { kind: 'image', type: 'image/jpeg' }],
  ['a GIF', 'GIF89a....', { kind: 'image', type: 'image/gif' }],
  ['a WebP', 'RIFF\x10\x00\x00\x00WEBPVP8 ', { kind: 'image', type: 'image/webp' }],
  ['a PDF', '%PDF-1.7\n', { kind: 'pdf' }],
  ['a PDF behind other bytes', '\n\n%PDF-1.4\n', { kind: 'pdf' }],
  ['text', 'a,b\r\n1\t2\x0c', { kind: 'text', text: 'a,b\r\n1\t2\x0c' }],
  ['a log with colours', '\x1b[31mred\x1b[0m', { kind: 'text', text: '\x1b[31mred\x1b[0m' }],
  ['UTF-8 with a byte order mark', '\xef\xbb\xbfna\xc3\xafve', { kind: 'text', text: 'na\u00efve' }],
  ['nothing', '', { kind: 'text', text: '' }],
  ['a zip', 'PK\x03\x04\x14\x00', null],
  ['a program', '\x7fELF\x02\x01', null],
  ['UTF-16', '\xff\xfea\x00', null],
  ['Latin-1', 'na\xefve', null],
  ['another RIFF file', 'RIFF\x10\x00\x00\x00AVI LIST', null],
])('recognises %s by its content', (_what, content, expected) => {
  expect(recognizeFile(bytes(content))).toEqual(expected);
});
