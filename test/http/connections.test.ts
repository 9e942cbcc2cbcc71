import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { post } from '../../src/http/post.ts';
import { createStreamingFetch } from '../../src/http/streaming-fetch.ts';

const { fetch, streamOf } = createStreamingFetch();

interface RawServer {
  readonly url: URL;
  close(): void;
  readonly sockets: ReadonlySet<Socket>;
}

/** Answers each piece that comes as told. */
async function answeringWith(reply: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const raw = createServer((socket) => {
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
