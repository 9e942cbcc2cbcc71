import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  nat,
  property,
  string,
  uniqueArray,
} from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseError, type ResponseHead } from '../../src/http/response-head.ts';
import { createResponseParser } from '../../src/http/response-parser.ts';

interface Read {
  readonly head: ResponseHead | null;
  readonly body: string;
  readonly isOver: boolean;
  readonly keptMs: number;
}

/** Reads a response as a connection does: every piece in the same few bytes of memory, which the next one overwrites. */
function read(bytes: Buffer, cuts: readonly number[] = [], isClosed = false): Read {
  const parser = createResponseParser();
  const memory = Buffer.alloc(bytes.length);
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  const body: Buffer[] = [];
  for (const [i, end] of at.slice(1).entries()) {
    const length = bytes.copy(memory, 0, at[i], end);
    body.push(Buffer.from(parser.take(memory.subarray(0, length))));
  }
  if (isClosed) parser.end();
  const text = Buffer.concat(body).toString();
  return { head: parser.head(), body: text, isOver: parser.isOver(), keptMs: parser.keptMs() };
}

const response = (head: string, body = ''): Buffer =>
  Buffer.from(`HTTP/1.1 ${head.split('\n').join('\r\n')}\r\n\r\n${body}`);

const chunk = string({ unit: 'binary', minLength: 1, maxLength: 40 });
const size = constantFrom<(n: number) => string>(
  (n) => n.toString(16),
  (n) => n.toString(16).toUpperCase(),
  (n) => n.toString(16).padStart(9, '0'),
  (n) => `${n.toString(16)};name="a;b"`,
  (n) => `${n.toString(16)} `,
);
const lineEnd = constantFrom('\r\n', '\r\n', '\r\n', '\n');

describe('a response', () => {
  test('in chunks is the same however it is written and cut', () => {
    assert(
      property(
        array(chunk, { maxLength: 12 }),
        size,
        lineEnd,
        boolean(),
        uniqueArray(nat(1_000), { maxLength: 12 }),
        (chunks, sized, end, hasTrailers, cuts) => {
          const framed = chunks
            .map((text) => `${sized(Buffer.byteLength(text))}${end}${text}${end}`)
            .join('');
          const last = `0${end}${hasTrailers ? `expires: never${end}` : ''}${end}`;
          const bytes = response('200 OK\ntransfer-encoding: chunked', framed + last);
          const whole = read(
            bytes,
            cuts.filter((cut) => cut < bytes.length),
          );
          expect(whole).toMatchObject({ body: chunks.join('').toWellFormed(), isOver: true });
          expect(whole.keptMs).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('of a known length ends there, and what comes behind it is not its own', () => {
    assert(
      property(
        chunk,
        nat(3),
        uniqueArray(integer({ min: 1, max: 60 }), { maxLength: 8 }),
        (body, more, cuts) => {
          const head = `200 OK\ncontent-length: ${Buffer.byteLength(body)}`;
          const bytes = Buffer.concat([response(head, body), Buffer.alloc(more, 'x')]);
          const whole = read(
            bytes,
            cuts.filter((cut) => cut < bytes.length),
          );
          expect(whole).toMatchObject({ body: body.toWellFormed(), isOver: true });
          // Nobody knows what that was.
          expect(whole.keptMs > 0).toBe(more === 0);
        },
      ),
    );
  });

  test('without a length ends with its connection', () => {
    const bytes = response('200 OK', 'all of it');
    expect(read(bytes)).toMatchObject({ body: 'all of it', isOver: false });
    expect(read(bytes, [3, 25], true)).toMatchObject({ body: 'all of it', isOver: true, keptMs: 0 });
  });

  test('that is cut is not over', () => {
    for (const bytes of [
      response('200 OK\ncontent-length: 5', 'half'),
      response('200 OK\ntransfer-encoding: chunked', '5\r\nwhole\r\n'),
      response('200 OK\ntransfer-encoding: chunked', '5\r\nwhole\r\n0\r\n'),
      Buffer.from('HTTP/1.1 200 OK\r\ncontent-le'),
    ]) {
      expect(read(bytes, [], true).isOver).toBe(false);
    }
  });

  test.for([
    ['204 No Content', 204],
    ['304 Not Modified\ncontent-length: 5', 304],
    ['200 OK\ncontent-length: 0', 200],
    ['100 Continue\n\nHTTP/1.1 103 Early Hints\nlink: x\n\nHTTP/1.1 204 Gone', 204],
  ] as const)('with head %j has no body', ([head, status]) => {
    const whole = read(response(head), [7, 20]);
    expect(whole).toMatchObject({ head: { status }, body: '', isOver: true });
  });

  test('has its fields by small names, and those that come twice together', () => {
    const { head } = read(
      response('200 Fine Thanks\nRetry-After:  3 \nvia: a\nVIA: b\nempty:\ncontent-length: 0'),
    );
    expect(Object.fromEntries(head?.headers ?? [])).toEqual({
      'retry-after': '3',
      via: 'a, b',
      empty: '',
      'content-length': '0',
    });
  });

  test.for([
    ['200 OK\ncontent-length: 0', 4_000],
    ['200 OK\ncontent-length: 0\nkeep-alive: timeout=3, max=100', 2_000],
    ['200 OK\ncontent-length: 0\nkeep-alive: timeout=60', 4_000],
    ['200 OK\ncontent-length: 0\nkeep-alive: timeout=1', 0],
    ['200 OK\ncontent-length: 0\nconnection: Close', 0],
    ['200 OK\ncontent-length: 0\ntransfer-encoding: chunked\n\n0', 0],
  ] as const)('with head %j leaves its connection for %d ms', ([head, keptMs]) => {
    expect(read(response(head)).keptMs).toBe(keptMs);
  });

  test('of HTTP/1.0 leaves none', () => {
    expect(read(Buffer.from('HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'))).toMatchObject({
      isOver: true,
      keptMs: 0,
    });
  });

  test.for([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    '<!doctype html>\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nna me: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nname: a\rb\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5x\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n',
    ...['', '-5', '5x', '0x5', 'g', '1'.repeat(13), ';'].map(
      (wrong) => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${wrong}\r\nwhole\r\n`,
    ),
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwhole\r\n0\r\n\r\n',
    `HTTP/1.1 200 OK\r\n${'name: value\r\n'.repeat(6_000)}\r\n`,
    `HTTP/1.1 200 OK\r\nname: ${'x'.repeat(70_000)}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;${'x'.repeat(20_000)}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'name: value\r\n'.repeat(2_000)}`,
  ])('that begins with %.60j is refused, and not quoted', (text) => {
    expect(() => read(Buffer.from(text))).toThrow(ResponseError);
    expect(() => read(Buffer.from(text), [5, 30])).toThrow(/^not a response of HTTP\/1\.1: [a-z ]+$/);
  });
});
