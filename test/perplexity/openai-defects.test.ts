/**
 * What `src/perplexity/response-body.ts` is there for, shown on the plain client. When one of these fails, openai has been
 * fixed: take out the part of that file that it names, and the test.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { VERSION } from 'openai/version';
import { expect, onTestFinished, test, vi } from 'vitest';

const CHUNK = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Hi.' }, finish_reason: 'stop' }] })}\n\n`;

/** The plain client, for a server that answers as told; `ports` has the client's end of every request's connection. */
async function setup(answer: (response: ServerResponse) => void) {
  const ports: (number | undefined)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    ports.push(request.socket.remotePort);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    answer(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // A TCP server that listens.
  const baseURL = `http://127.0.0.1:${port}`;
  const client = new OpenAI({ apiKey: 'key', baseURL, maxRetries: 0, logLevel: 'off' });
  const read = async (): Promise<number> => {
    let chunks = 0;
    const body = { model: 'sonar', messages: [], stream: true as const };
    for await (const _ of await client.chat.completions.create(body)) chunks += 1;
    return chunks;
  };
  return { read, ports };
}

test('the version that the comments name is the one that is used', () => {
  expect(VERSION).toBe('7.57.0');
});

test.for(['data:\n\n', 'event: ping\n\n'])('dropEmptyEvents: it fails on %j', async (event) => {
  const { read } = await setup((response) => response.end(`${event}${CHUNK}data: [DONE]\n\n`));
  await expect(read()).rejects.toBeInstanceOf(SyntaxError);
});

test('saidDone: it ends at a cut as at [DONE]', async () => {
  const { read } = await setup((response) => response.end(CHUNK));
  expect(await read()).toBe(1);
});

test('LARGEST_EVENT: it sets no limit to an event', async () => {
  const { read } = await setup((response) => {
    for (let i = 0; i < 20; i++) response.write(`data: ${' '.repeat(1_000_000)}\n`);
    response.end(CHUNK);
  });
  expect(await read()).toBe(1);
});

test('drain: it closes the connection at [DONE]', async () => {
  let closed = 0;
  const { read, ports } = await setup((response) => {
    response.write(`${CHUNK}data: [DONE]\n\n`);
    response.once('close', () => (closed += 1));
    setTimeout(() => response.end(), 30);
  });
  for (let i = 1; i <= 3; i++) {
    await read();
    await vi.waitFor(() => expect(closed).toBe(i));
  }
  expect(new Set(ports).size).toBe(3);
});
