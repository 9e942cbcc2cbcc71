/** The address that a file's bytes are sent to: outside the Web API, without a token, recorded as method `upload_url`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RecordedCall } from './types.ts';
import { answerWithFaults, type WebApi } from './web-api.ts';

/** Answers `POST /upload/v1/<ticket>`: the plain bytes, or a form with one file in it. */
export async function answerUpload(
  api: WebApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const bytes = await fileOf(Buffer.concat(parts), request.headers['content-type'] ?? '');
  const call: RecordedCall = {
    method: 'upload_url',
    args: { length: bytes.length },
    token: /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null,
    at: Date.now(),
    result: 'pending',
    status: 0,
    insideRetryAfter: false,
  };
  api.calls.push(call);
  await answerWithFaults(api, call, response, () => {
    const refusal = request.method === 'POST' ? api.context.files.receive(request.url ?? '', bytes) : 'POST';
    if (refusal !== null) return { status: 400, result: refusal, body: refusal };
    return { status: 200, result: 'ok', body: `OK - ${bytes.length}` };
  });
}

async function fileOf(body: Buffer, type: string): Promise<Buffer> {
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const entry = [...form.values()][0];
  if (entry === undefined) return Buffer.alloc(0);
  return typeof entry === 'string' ? Buffer.from(entry) : Buffer.from(await entry.arrayBuffer());
}
