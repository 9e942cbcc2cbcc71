import { asText } from './untrusted.ts';

export interface FileRequest {
  readonly url: string;
  /** The origins that files may be fetched from, and their token sent to. */
  readonly origins: ReadonlySet<string>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches a file that somebody attached: from these origins only, without following a redirect, up to a size. Resolves with its
 * bytes and media type, or with why it cannot be had, in a few words; never rejects.
 */
export async function fetchFile({
  url,
  origins,
  headers = {},
  maxBytes,
  signal,
}: FileRequest): Promise<
  { readonly bytes: Uint8Array; readonly type: string | null } | { readonly problem: string }
> {
  const address = URL.parse(url);
  // What is before an @ is a name, and not the host that it looks like.
  const isAllowed =
    address !== null && origins.has(address.origin) && address.username + address.password === '';
  if (!isAllowed) return { problem: 'kept elsewhere' };
  try {
    const response = await fetch(address, { headers, redirect: 'manual', signal });
    if (response.status >= 300 && response.status < 400) return { problem: 'kept elsewhere' };
    if (!response.ok) return { problem: `not to be had (${response.status})` };
    const bytes = await readUpTo(response, maxBytes);
    return bytes
      ? { bytes, type: asText(response.headers.get('content-type')?.split(';')[0]?.trim()) }
      : { problem: `larger than ${Math.round(maxBytes / 1_000_000)} MB` };
  } catch {
    return { problem: signal.aborted ? 'it took too long' : 'it could not be fetched' };
  }
}

/** The whole body; null when it is longer, in which case the rest is not read. */
async function readUpTo({ body }: Response, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
