import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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

/** A connection is used again from the turn of the event loop on that follows its last response. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
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

test('a connection that was paused is used again', async () => {
  for (let i = 0; i < 3; i++) {
    const isWritten = packets(5);
    await readAll(await open(), () => isWritten);
    await nextTurn();
  }
  expect(connections).toBe(1);
});

interface RawServer {
  readonly url: URL;
  close(): void;
  readonly sockets: ReadonlySet<Socket>;
}

/** Answers each piece that comes as told. */
async function answeringWith(reply: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const raw = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', () => reply(socket));
  });
  await new Promise<void>((resolve) => {
    raw.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: new URL(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/`), // a TCP server that listens
    close() {
      for (const socket of sockets) socket.destroy();
      raw.close();
    },
    sockets,
  };
}

function answering(...answers: readonly string[]): Promise<RawServer> {
  const left = [...answers];
  return answeringWith((socket) => socket.write(left.shift() ?? ''));
}

const HELLO = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

test('a connection is not used again when more came than was asked for, nor when it is to be closed', async () => {
  for (const odd of [`${HELLO}more`, HELLO.replace('OK', 'OK\r\nconnection: close')]) {
    const { url, close, sockets } = await answering(odd, HELLO, HELLO);
    const texts: string[] = [];
    for (let i = 0; i < 3; i++) {
      texts.push((await post(url, {}, 'x', 5_000)).text);
      await nextTurn();
    }
    expect(texts).toEqual(['hello', 'hello', 'hello']);
    expect(sockets.size).toBe(2);
    close();
  }
});

test('a connection that the server closes without a word is not used again', async () => {
  const { url, close } = await answeringWith((socket) => socket.end(HELLO));
  for (let i = 0; i < 30; i++) expect(await post(url, {}, 'x', 5_000)).toMatchObject({ text: 'hello' });
  close();
});

test('a connection is not used again once its time is up', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { url, close, sockets } = await answeringWith((socket) => socket.write(HELLO));
  try {
    for (let i = 0; i < 5; i++) {
      expect(await post(url, {}, 'x', 5_000)).toMatchObject({ text: 'hello' });
      await nextTurn();
      vi.advanceTimersByTime(4_000);
    }
    expect(sockets.size).toBe(5);
  } finally {
    vi.useRealTimers();
    close();
  }
});

test('what is answered before all of it was sent leaves nothing in the way of the next', async () => {
  const refusals = [
    (socket: Socket) => socket.write(HELLO.replace('200', '413')),
    (socket: Socket) => socket.end('HTTP/1.1 413 Too Large\r\n\r\nhello'),
  ];
  for (const refuse of refusals) {
    const { url, close, sockets } = await answeringWith((socket) => {
      if (sockets.size > 1) socket.write(HELLO);
      else refuse(socket.pause());
    });
    expect(await post(url, {}, 'x'.repeat(20_000_000), 5_000)).toMatchObject({ status: 413, text: 'hello' });
    await nextTurn();
    expect(await post(url, {}, 'x', 5_000)).toMatchObject({ status: 200, text: 'hello' });
    close();
  }
});

test('what comes unasked ends a connection that nobody uses', async () => {
  // Its time is never up.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const gone = Promise.withResolvers<void>();
  const { url, close, sockets } = await answeringWith((socket) => {
    socket.once('close', () => gone.resolve());
    socket.write(HELLO);
  });
  try {
    await post(url, {}, 'x', 5_000);
    await nextTurn();
    for (const socket of sockets) socket.write('HTTP/1.1 408 Too Late\r\n\r\n');
    await gone.promise;
    expect(await post(url, {}, 'x', 5_000)).toMatchObject({ status: 200, text: 'hello' });
    expect(sockets.size).toBe(2);
  } finally {
    vi.useRealTimers();
    close();
  }
});

test('a body without a length is cut by an abort and by a reset, and ends with its connection', async () => {
  const HALF = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nhello';
  type End = (socket: Socket, aborting: AbortController) => unknown;
  const ends: readonly (readonly [End, code: string | null])[] = [
    [(socket) => socket.end(), null],
    [(_, aborting) => aborting.abort(), 'ECONNRESET'],
    [(socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  ];
  for (const [end, code] of ends) {
    const aborting = new AbortController();
    const { url, close, sockets } = await answering(HALF);
    const body = streamOf(await fetch(url, { signal: aborting.signal }));
    expect(await body?.read()).toBe('hello');
    for (const socket of sockets) end(socket, aborting);
    if (code === null) expect(await body?.read()).toBeNull();
    else await expect(body?.read()).rejects.toMatchObject({ code });
    close();
  }
});

test('a response that cannot be read fails, and is told from one that does not come', async () => {
  const { url, close } = await answering(
    'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n',
    'nothing\r\n\r\n',
  );
  await expect(post(url, {}, 'x', 5_000)).rejects.toMatchObject({ code: 'ERR_HTTP_RESPONSE' });
  await expect(fetch(url)).rejects.toMatchObject({ code: 'ERR_HTTP_RESPONSE' });
  close();
  await expect(post(url, {}, 'x', 5_000)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
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
