import type { Log } from '../../core/ports.ts';

const RESPOND_TIMEOUT_MS = 5_000;

/**
 * Tells one person something through an interaction's `response_url` (usable 5 times within 30 minutes). False when it
 * could not be said; never throws. The text is mrkdwn and is made inert here; `markdown` is shown in its place and must be
 * inert already.
 */
export async function respondPrivately(
  url: string | null,
  text: string,
  log: Log,
  markdown: string | null = null,
): Promise<boolean> {
  if (url === null) return false;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        response_type: 'ephemeral',
        replace_original: false,
        text: inert(text),
        ...(markdown !== null && { blocks: [{ type: 'markdown', text: markdown }] }),
      }),
      signal: AbortSignal.timeout(RESPOND_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    log.debug({ err: error }, 'could not use a response_url');
    return false;
  }
}

/** Escaped as Slack wants the `text` of a message: nothing in it mentions or links. */
export function inert(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
