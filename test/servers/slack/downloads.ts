/** The host of files: `GET /files-pri/…` with the bot's token, recorded as method `file`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebApi } from './web-api.ts';

const SIGN_IN = '<!DOCTYPE html><html><title>Sign in | Slack</title></html>';

/** Serves what somebody shared. To a token that is not let in it shows the sign-in page, with status 200. */
export function answerDownload(api: WebApi, request: IncomingMessage, response: ServerResponse): void {
  const { url: path = '', headers } = request;
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? null;
  const args = { path };
  api.calls.push({
    method: 'file',
    args,
    token,
    at: Date.now(),
    result: 'ok',
    status: 200,
    insideRetryAfter: false,
  });
  const isLetIn = token === api.botToken && (api.scopes?.includes('files:read') ?? true);
  if (!isLetIn) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(SIGN_IN);
    return;
  }
  const file = api.context.files.shared.get(path);
  if (!file?.bytes) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': file.type }).end(file.bytes);
}
