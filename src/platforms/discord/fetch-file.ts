import { fetchFile } from '../../core/fetch-file.ts';
import type { FileFetcher } from '../../core/ports.ts';
import { asRecord, asRecords, asText } from '../../core/untrusted.ts';
import type { DiscordRest } from './rest.ts';

/** What serves the files of messages, to everybody who has the signed address. */
const HOSTS = ['https://cdn.discordapp.com', 'https://media.discordapp.net'];
/** An address that is about to expire is signed anew. */
const MARGIN_MS = 60_000;

/** Fetches the files of messages. An address is signed for a day; one from a thread's past is signed anew. */
export function createFileFetcher(rest: DiscordRest, apiUrl: string | null): FileFetcher {
  const origins = new Set([...HOSTS, ...(apiUrl === null ? [] : [new URL(apiUrl).origin])]);
  return async ({ url }, maxBytes, signal) => {
    if (url === null) return { problem: 'kept elsewhere' };
    const signed = isExpired(url) ? await signAnew(rest, url, signal) : url;
    return signed === null
      ? { problem: 'no longer there' }
      : fetchFile({ url: signed, origins, maxBytes, signal });
  };
}

/** The parameter `ex` is the moment an address expires, in hexadecimal seconds since the epoch. */
function isExpired(url: string): boolean {
  const expires = URL.parse(url)?.searchParams.get('ex');
  return (
    expires !== null && expires !== undefined && Number.parseInt(expires, 16) * 1000 < Date.now() + MARGIN_MS
  );
}

async function signAnew(rest: DiscordRest, url: string, signal: AbortSignal): Promise<string | null> {
  const body = { attachment_urls: [url] };
  try {
    // discord.js' Routes lack it.
    const answer = await rest.post('/attachments/refresh-urls', { body, signal, urgency: 'final' });
    return asText(asRecords(asRecord(answer)?.['refreshed_urls'])[0]?.['refreshed']);
  } catch {
    return null;
  }
}
