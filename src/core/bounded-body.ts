/**
 * Reads the body of a response, for clients that read bodies whole, however long they are. Resolves with the same response around
 * what was read.
 * @throws when the body is longer than `maxBytes`, or its connection breaks
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let left = maxBytes;
  for await (const chunk of response.body ?? []) {
    left -= chunk.byteLength;
    if (left < 0) throw new Error(`a body of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(response.body && Buffer.concat(chunks), response);
}
