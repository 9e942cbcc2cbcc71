import { fetchFile } from '../../core/fetch-file.ts';
import type { FileFetcher } from '../../core/ports.ts';

/**
 * Fetches the files of a workspace. They are served by the host `files.` of the API's, to whoever has the token and the scope
 * `files:read`.
 */
export function createFileFetcher(token: string, apiUrl: string): FileFetcher {
  const { origin, host } = new URL(apiUrl);
  const origins = new Set([origin, `https://files.${host}`]);
  return async ({ url, type }, maxBytes, signal) => {
    if (url === null) return { problem: 'not shared with me' };
    const headers = { authorization: `Bearer ${token}` };
    const file = await fetchFile({ url, origins, headers, maxBytes, signal });
    // To a token without the scope Slack shows its sign-in page, with status 200.
    const isSignIn = 'type' in file && file.type === 'text/html' && type !== 'text/html';
    return isSignIn ? { problem: 'Slack refuses it: the scope files:read is missing' } : file;
  };
}
