import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExchangeTimeout } from '../../src/http/exchange.ts';
import { post } from '../../src/http/post.ts';
import { createStreamingFetch } from '../../src/http/streaming-fetch.ts';
import type { TextStream } from '../../src/http/text-stream.ts';

let server: Server;
let answer: (response: ServerResponse) => void;
let connections = 0;
beforeEach(async () => {
  connections = 0;
  server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(response));
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterEach(() => server.closeAllConnections());

function address(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // a TCP server that listens
}

const { fetch, streamOf } = createStreamingFetch();

async function open(signal?: AbortSignal): Promise<TextStream> {
  const response = await fetch(address(), { method: 'POST', body: 'question', ...(signal && { signal }) });
  const body = streamOf(response);
  if (body === null) throw new Error('no stream');
  return body;
}

async function readAll(body: TextStream, rest: () => Promise<unknown>): Promise<string[]> {
  const reads: string[] = [];
  for (let text = await body.read(); text !== null; text = await body.read()) {
    reads.push(text);
    body.pause();
    await rest();
  }
  return reads;
}

/** Writes numbered packets, the next one when the last has left, and says when all have. */
function packets(count: number): Promise<void> {
  return new Promise((resolve) => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      const write = (n: number): void => {
        if (n < count) setTimeout(() => response.write(`${n} `, () => write(n + 1)), 1);
        else response.end(resolve);
      };
      write(0);
    };
  });
}

test('what comes while a stream is paused is read at once, whole and in order', async () => {
  const isWritten = packets(60);
  const body = await open();
  const reads = await readAll(body, () => isWritten);
  expect(reads.join('')).toBe(Array.from({ length: 60 }, (_, n) => `${n} `).join(''));
  // The first, and everything behind it.
  expect(reads.length).toBeLessThanOrEqual(3);
});

test('what comes while a stream is paused is left with the system', async () => {
  const order: string[] = [];
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('first');
    // More than the system holds for a connection.
    response.end('x'.repeat(30_000_000), () => order.push('sent'));
  };
  const body = await open();
  await body.read();
  body.pause();
  // In the meantime there is time enough to read all of it.
  answer = (response) => response.end();
  for (let i = 0; i < 100; i++) await post(new URL(address()), {}, 'x', 5_000);
  order.push('resumed');
  await readAll(body, () => nextTurn());
  expect(order).toEqual(['resumed', 'sent']);
});

test('a connection that was paused is used again', async () => {
  for (let i = 0; i < 3; i++) {
    const isWritten = packets(5);
    await readAll(await open(), () => isWritten);
    await nextTurn();
  }
  expect(connections).toBe(1);
});

test('an abort after the end leaves the connection to the next request', async () => {
  const aborting = new AbortController();
  answer = (response) => response.end('first');
  await (await fetch(address(), { signal: aborting.signal })).text();
  await nextTurn();
  const isWritten = packets(5);
  const second = await open();
  aborting.abort();
  expect(await readAll(second, () => isWritten)).not.toEqual([]);
  expect(connections).toBe(1);
});

test('characters that are cut by packets are put together', async () => {
  const bytes = Buffer.from('🎈 ä € 🎈');
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (at: number): void => {
      if (at < bytes.length) response.write(bytes.subarray(at, at + 1), () => setImmediate(write, at + 1));
      else response.end();
    };
    write(0);
  };
  expect((await readAll(await open(), () => Promise.resolve())).join('')).toBe('🎈 ä € 🎈');
});

test('more than one read can hold is whole', async () => {
  const long = 'All the tides of a year. '.repeat(20_000);
  answer = (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(long);
  const body = await open();
  body.pause();
  expect((await readAll(body, () => Promise.resolve())).join('')).toBe(long);
});

test('a header that would be two is refused, and the ones of the connection are our own', async () => {
  let seen: IncomingHttpHeaders = {};
  answer = (response) => {
    seen = response.req.headers;
    response.end();
  };
  await post(new URL(address()), { 'Content-Length': '1', Host: 'elsewhere', 'x-mine': 'yes' }, 'äöü', 5_000);
  expect(seen).toMatchObject({ 'content-length': '6', host: new URL(address()).host, 'x-mine': 'yes' });
  await expect(fetch(address(), { headers: { 'x-mine': 'ä' } })).rejects.toThrow('x-mine');
});

test('a stream that is cut gives what has come and then fails, also when it was paused', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('half', () => setTimeout(() => response.socket?.resetAndDestroy(), 10));
  };
  const body = await open();
  expect(await body.read()).toBe('half');
  body.pause();
  await expect(body.read()).rejects.toThrow();
});

test('an abort ends a stream that is paused', async () => {
  void packets(1_000);
  const aborting = new AbortController();
  const body = await open(aborting.signal);
  await body.read();
  body.pause();
  aborting.abort();
  await expect(readAll(body, () => Promise.resolve())).rejects.toThrow();
});

test('an abort before the answer fails with its reason', async () => {
  const reason = new Error('changed my mind');
  answer = () => {};
  await expect(open(AbortSignal.timeout(20))).rejects.toThrow(/timeout/);
  await expect(open(AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('what is no event stream is read whole, with its status and headers', async () => {
  answer = (response) => response.writeHead(429, { 'retry-after': '3' }).end('{"error":"slow down"}');
  const response = await fetch(address(), { method: 'POST', body: '{}' });
  expect(streamOf(response)).toBeNull();
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('3');
  // Nobody has said what it is.
  expect(response.headers.get('content-type')).toBeNull();
  expect(await response.json()).toEqual({ error: 'slow down' });
});

test('a post that cannot be begun fails at once', async () => {
  const address = new URL('http://127.0.0.1:9/');
  await expect(post(address, { authorization: 'two\nlines' }, 'x', 60_000)).rejects.toThrow(/header/);
  await expect(post(address, {}, 'x', 60_000)).rejects.toThrow();
});

test('a post gives up after its time, before the answer and in the middle of it', async () => {
  const ask = (): Promise<unknown> => post(new URL(address()), {}, 'x', 60);
  answer = () => {};
  await expect(ask()).rejects.toBeInstanceOf(ExchangeTimeout);
  answer = (response) => {
    response.writeHead(200);
    response.write('{"ok":');
  };
  await expect(ask()).rejects.toBeInstanceOf(ExchangeTimeout);
});
