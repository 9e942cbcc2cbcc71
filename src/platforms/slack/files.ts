import { Failure } from '../../core/failures.ts';
import { retry } from '../../core/retry.ts';
import { type Desk, patience, send } from './desk.ts';
import { asRecords, asText } from './payload.ts';
import { toFailure } from './slack-failures.ts';

const SEND_TIMEOUT_MS = 15_000;

/**
 * Uploads a text file that nobody but we can see yet, and returns its permalink; null where files are not allowed or the
 * upload does not succeed: what belongs to it goes out without.
 *
 * It is completed without a channel. With one, Slack would post a message of its own: asynchronously, so that the answer does
 * not name it, without metadata to find it by, and without Markdown (`markdown` blocks end in internal_error,
 * python-slack-sdk#1756). A private file is shared by the first message in which its owner links to it (bolt-python#1018).
 * @throws {Failure} `rate-limited`
 */
export async function uploadFile(
  desk: Desk,
  file: { readonly name: string; readonly text: string },
): Promise<string | null> {
  try {
    // Begun anew each time: what an earlier try left stays private and unseen.
    return await retry(patience(desk), () => uploadOnce(desk, file.name, Buffer.from(file.text)));
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'rate-limited') throw error;
    desk.log.warn(
      { err: error },
      'a file could not be uploaded to Slack (scope files:write, or not allowed)',
    );
    return null;
  }
}

async function uploadOnce(desk: Desk, name: string, bytes: Buffer<ArrayBuffer>): Promise<string> {
  const ticket = await send(desk, 'files.getUploadURLExternal', { filename: name, length: bytes.length });
  const [id, url] = [asText(ticket.file_id), asText(ticket.upload_url)];
  if (id === null || url === null)
    throw new Failure('malformed', 'files.getUploadURLExternal gave no address');
  await sendBytes(url, bytes);
  const done = await send(desk, 'files.completeUploadExternal', { files: [{ id, title: name }] });
  const permalink = asText(asRecords(done.files)[0]?.permalink);
  if (permalink === null) throw new Failure('malformed', 'files.completeUploadExternal gave no permalink');
  return permalink;
}

/** The address is a ticket of its own: no token goes with it. */
async function sendBytes(url: string, bytes: Buffer<ArrayBuffer>): Promise<void> {
  let response: Response;
  try {
    const signal = AbortSignal.timeout(SEND_TIMEOUT_MS);
    response = await fetch(url, { method: 'POST', body: bytes, signal });
    await response.body?.cancel();
  } catch (error) {
    throw toFailure(error, 'the upload address');
  }
  if (response.ok) return;
  const kind = response.status === 429 || response.status >= 500 ? 'unreachable' : 'rejected';
  throw new Failure(kind, `the upload address: HTTP ${response.status}`, { status: response.status });
}
