import type { ServerResponse } from 'node:http';
import { repeat, type StreamFault } from './faults.ts';

/** How fast and in what pieces text is sent. */
export interface Pace {
  /** 0 sends everything at once, with a turn of the event loop between any two events. */
  readonly tokensPerSecond: number;
  /** From the request to the first piece of text. */
  readonly firstTokenMs: number;
  /** Characters in a piece of text; 0 for a word each. */
  readonly chunking: number;
}

export type Finish = 'stop' | 'length' | 'content_filter';

/** One streamed answer, as frames of server-sent events. Functions, since frames are numbered as they are sent. */
export interface Script {
  readonly text: string;
  /** Pieces of text after which the answer ends with `length`; null for no limit. */
  readonly maxPieces: number | null;
  readonly opening: () => readonly string[];
  readonly delta: (piece: string) => string;
  readonly closing: (finish: Finish, text: string) => readonly string[];
  readonly error: () => string;
  readonly failed: () => string;
  readonly odd: () => readonly string[];
}

/** Sends an answer to its end, or to where the fault strikes. Resolves once there is nothing more to do. */
export async function play(
  response: ServerResponse,
  script: Script,
  pace: Pace,
  fault: StreamFault | null,
): Promise<void> {
  const all = pieces(script.text, pace.chunking);
  const limit = Math.min(script.maxPieces ?? all.length, all.length);
  const middle = Math.min(limit, Math.ceil(all.length / 2));
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  response.flushHeaders();
  if (await strikesBeforeText(response, script, fault)) return;
  const send = async (frames: readonly string[]): Promise<void> => {
    for (const frame of frames) await sendFrame(response, frame, fault);
  };
  await send(script.opening());
  await wait(pace.firstTokenMs, response);

  const stopAt = fault === 'length' || fault === 'content-filter' || STOPS.has(fault) ? middle : limit;
  const startedAt = performance.now();
  for (let sent = 0; sent < stopAt && !response.destroyed; ) {
    if (sent === middle) await send(passingTrouble(script, fault));
    await send([script.delta(all[sent] ?? '')]);
    sent++;
    await due(startedAt, sent, pace, response);
  }
  if (response.destroyed) return;
  if (await strikesInTheMiddle(response, script, fault)) return;
  const finish = finishFor(fault, stopAt < all.length);
  await send(script.closing(finish, all.slice(0, stopAt).join('')));
  response.end();
}

/** One event, in the form that the fault asks for. */
async function sendFrame(response: ServerResponse, frame: string, fault: StreamFault | null): Promise<void> {
  if (fault === 'crlf') response.write(frame.replaceAll('\n', '\r\n'));
  else if (fault === 'comments') response.write(`: keep-alive\n\n: of this event\n${frame}`);
  else if (fault === 'split') {
    const bytes = Buffer.from(frame);
    // Within the name or the first characters, and within the line ends; elsewhere for every length.
    const [start, end] = [1 + (bytes.length % 11), bytes.length - 1 - (bytes.length % 3)];
    for (const piece of [bytes.subarray(0, start), bytes.subarray(start, end), bytes.subarray(end)]) {
      response.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } else response.write(frame);
}

const STOPS: ReadonlySet<StreamFault | null> = new Set<StreamFault | null>([
  'cut',
  'clean-cut',
  'silence',
  'keepalive-middle',
  'malformed',
  'endless-event',
  'endless-stream',
  'error-event',
  'failed',
]);

function finishFor(fault: StreamFault | null, isShortened: boolean): Finish {
  if (fault === 'content-filter') return 'content_filter';
  return fault === 'length' || isShortened ? 'length' : 'stop';
}

function passingTrouble(script: Script, fault: StreamFault | null): readonly string[] {
  if (fault === 'empty-event') return EMPTY_EVENTS;
  return fault === 'odd' ? script.odd() : [];
}

const EMPTY_EVENTS = [
  'data:\n\n',
  'data: \n\n',
  'data\ndata:\n\n',
  'event: ping\n\n',
  'id: 7\nevent: ping\ndata:\n\n',
];

async function strikesBeforeText(
  response: ServerResponse,
  script: Script,
  fault: StreamFault | null,
): Promise<boolean> {
  if (fault === 'silence-first') return true;
  if (fault === 'keepalive') {
    keepAlive(response);
    return true;
  }
  if (fault === 'cut-first') {
    await reset(response);
    return true;
  }
  if (fault === 'error-first') {
    response.end(script.error());
    return true;
  }
  return false;
}

async function strikesInTheMiddle(
  response: ServerResponse,
  script: Script,
  fault: StreamFault | null,
): Promise<boolean> {
  if (!STOPS.has(fault)) return false;
  if (fault === 'cut') await reset(response);
  else if (fault === 'clean-cut') response.end();
  else if (fault === 'keepalive-middle') keepAlive(response);
  else if (fault === 'malformed') response.end('data: {"choices":[{"delta":{"content":"half a\n\n');
  else if (fault === 'endless-event') repeat(response, `data: ${'x'.repeat(60_000)}\n`);
  else if (fault === 'endless-stream') repeat(response, `data: {"x":"${'x'.repeat(1_000_000)}"}\n\n`);
  else if (fault === 'error-event') response.end(script.error());
  else if (fault === 'failed') response.end(script.failed());
  return true;
}

function keepAlive(response: ServerResponse): void {
  const timer = setInterval(() => response.write(': keep-alive\n\n'), 20);
  response.once('close', () => clearInterval(timer));
}

/** A reset throws away what the other side has not read yet, so it comes a moment after the text. */
async function reset(response: ServerResponse): Promise<void> {
  await wait(30, response);
  response.socket?.resetAndDestroy();
}

/** Waits until `sent` pieces are due, or only for the event loop when there is no speed limit. */
async function due(startedAt: number, sent: number, pace: Pace, response: ServerResponse): Promise<void> {
  if (pace.tokensPerSecond === 0) return new Promise((resolve) => setImmediate(resolve));
  const left = startedAt + (sent * 1000) / pace.tokensPerSecond - performance.now();
  if (left > 1) await wait(left, response);
}

/** Ends early when the other side goes away. */
function wait(ms: number, response: ServerResponse): Promise<void> {
  if (ms <= 0 || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    response.once('close', done);
  });
}

function pieces(text: string, chunking: number): readonly string[] {
  if (chunking > 0) return text.match(new RegExp(`[^]{1,${chunking}}`, 'gu')) ?? [];
  return text.match(/\s*\S+\s*/g) ?? [];
}
