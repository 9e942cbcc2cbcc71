/**
 * A lean stand-in for chat completions in Perplexity's concise shape, as a process of its own: one event per token, each
 * written when it is due, for a thousand streams at once. It checks nothing; the tests have the strict one.
 */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { serve, watchLoop } from './child.ts';
import { now } from './clock.ts';
import { spreadOf } from './statistics.ts';
import { type BenchQuestion, lastQuestionIn, SOURCES, tokenText } from './words.ts';

/** What became of one request. Times on the common clock. */
export interface ModelRequest {
  readonly n: number;
  readonly at: number;
  readonly bytes: number;
  /** When the first and the last piece of text were written; 0 when they were not. */
  firstAt: number;
  lastAt: number;
}

interface Stream {
  readonly socket: Socket;
  readonly question: BenchQuestion;
  readonly request: ModelRequest;
  sent: number;
}

const TICK_MS = 2;
const HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';

const streams = new Set<Stream>();
const loop = watchLoop();
let requests: ModelRequest[] = [];
let lateness: number[] = [];

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    for (let message = takeRequest(pending); message !== null; message = takeRequest(pending)) {
      pending = message.rest;
      begin(socket, message.body);
    }
  });
});

/** The body of the first complete HTTP request, or null while it is not all there. */
function takeRequest(bytes: Buffer): { body: string; rest: Buffer } | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const length = Number(/content-length: *(\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (bytes.length < end) return null;
  return { body: bytes.toString('utf8', headEnd + 4, end), rest: bytes.subarray(end) };
}

function begin(socket: Socket, body: string): void {
  const question = lastQuestionIn(body);
  if (question === null) {
    socket.write('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  const request = { n: question.n, at: now(), bytes: body.length, firstAt: 0, lastAt: 0 };
  requests.push(request);
  const stream = { socket, question, request, sent: 0 };
  streams.add(stream);
  socket.once('close', () => streams.delete(stream));
  socket.write(HEAD);
}

function tick(): void {
  for (const stream of streams) advance(stream, now());
  setTimeout(tick, TICK_MS);
}

function advance(stream: Stream, at: number): void {
  const { socket, question, request, sent } = stream;
  const { tokens, tokensPerSecond, firstTokenMs } = question;
  const elapsed = at - request.at - firstTokenMs;
  if (elapsed < 0) return;
  const due = Math.min(tokens, 1 + Math.floor((elapsed * tokensPerSecond) / 1000));
  if (due <= sent) return;
  let text = '';
  for (let i = sent; i < due; i++) text += frame(deltaOf(question, i));
  stream.sent = due;
  lateness.push(elapsed - (sent * 1000) / tokensPerSecond);
  if (sent === 0) request.firstAt = at;
  if (due === tokens) {
    request.lastAt = at;
    streams.delete(stream);
    text += `${frame(closingOf(question))}${frame('data: [DONE]\n\n')}0\r\n\r\n`;
  }
  socket.write(text);
}

/** One chunk of HTTP's chunked encoding; the text is ASCII, so characters are bytes. */
function frame(event: string): string {
  return `${event.length.toString(16)}\r\n${event}\r\n`;
}

function deltaOf(question: BenchQuestion, i: number): string {
  const content = JSON.stringify(tokenText(question, i));
  return `data: {"id":"bench-${question.n}","model":"sonar","created":1790000000,"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":${content}},"finish_reason":null}]}\n\n`;
}

const RESULTS = Array.from({ length: SOURCES }, (_, i) => ({
  title: `Harbour report, part ${i + 1}`,
  url: `https://harbour${i + 1}.example/reports/${i + 1}`,
  date: `2026-11-0${i + 1}`,
  last_updated: `2026-11-0${i + 1}`,
  snippet: 'What the harbour wrote about its first year, in a sentence or two of ordinary length.',
  source: 'web',
}));

function closingOf({ n, from, tokens, ...pace }: BenchQuestion): string {
  const question = { n, from, tokens, ...pace };
  let content = '';
  for (let i = 0; i < tokens; i++) content += tokenText(question, i);
  const closing = {
    id: `bench-${n}`,
    model: 'sonar',
    created: 1_790_000_000,
    object: 'chat.completion.done',
    citations: RESULTS.map(({ url }) => url),
    search_results: RESULTS,
    usage: {
      prompt_tokens: 20,
      completion_tokens: tokens,
      total_tokens: tokens + 20,
      cost: { total_cost: 0.005 },
    },
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', content: '' },
        message: { role: 'assistant', content },
        finish_reason: 'stop',
      },
    ],
  };
  return `data: ${JSON.stringify(closing)}\n\n`;
}

const handlers = {
  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', 1024, resolve);
    });
    setTimeout(tick, TICK_MS);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens
  },
  reset(): void {
    requests = [];
    lateness = [];
    loop();
  },
  /** Every request since the reset, and how late this stand-in itself was: lags of that size are not the service's. */
  collect() {
    return { requests, lateness: spreadOf(lateness), loop: loop() };
  },
};

export type ModelHandlers = typeof handlers;
serve(handlers);
