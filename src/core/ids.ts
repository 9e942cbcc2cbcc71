import { createHash } from 'node:crypto';

/** RFC 9562 name-based UUID (version 5) in a namespace of our own: the same parts always give the same id. */
export function idFrom(...parts: readonly string[]): string {
  const hash = createHash('sha1').update(NAMESPACE).update(parts.join('\u0000')).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** The short id a person reads in an error message and an operator finds in the log: `E-7K2M`. */
export function shortId(id: string): string {
  return `E-${digits(id)}`;
}

/** What people call a research job: `R-4F2K`. */
export function researchName(id: string): string {
  return `R-${digits(id)}`;
}

function digits(id: string): string {
  const number = Number.parseInt(createHash('sha1').update(id).digest('hex').slice(0, 8), 16);
  let rest = number;
  let text = '';
  for (let i = 0; i < 4; i++) {
    text += ALPHABET[rest % ALPHABET.length];
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

const NAMESPACE = Buffer.from('6e6f7465666f6f74a1b2c3d4e5f60718', 'hex');
// Without 0/O, 1/I/L: the id is read aloud and typed into a log search.
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
