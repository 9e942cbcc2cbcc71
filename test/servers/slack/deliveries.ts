/** What is delivered over the sockets: envelopes, acknowledgements, deadlines, Slack's three retries. */
import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { isObject } from './blocks.ts';
import type { Payload } from './payloads.ts';
import type { Sockets } from './sockets.ts';
import type { Unacked } from './types.ts';

/** Something to deliver. Only `events_api` payloads are retried; the others are `late` after three seconds, once. */
interface Outgoing {
  readonly id: string;
  /** The `ts` of the message it is about. */
  readonly about?: string;
  readonly type: 'events_api' | 'slash_commands' | 'interactive';
  readonly payload: Payload;
  /** Told what the acknowledgement carried, possibly nothing. */
  readonly acked?: (response: Payload) => void;
  /** Told that the acknowledgement did not come in time, so Slack has told the person. */
  readonly late?: () => void;
}

export interface Deliveries {
  send(outgoing: Outgoing): void;
  /**
   * Sends an event again as a retry, whether it was acknowledged or not. `id` is an event id, or the `ts` of a message for
   * all events about it. @throws when nothing is found.
   */
  redeliver(id: string, retryAttempt: number, sockets: 'other' | 'all'): void;
  /** Events that found no socket are sent now that there is one. */
  flush(): void;
  /** Events that a lost socket had not acknowledged go to another one. */
  lost(socket: WebSocket): void;
  received(frame: unknown): void;
  unacked(): readonly Unacked[];
  /** Every envelope id acknowledged so far, in order. */
  readonly acknowledged: readonly string[];
  lastId(): string | null;
  autoRetry: boolean;
  close(): void;
}

interface Item {
  readonly outgoing: Outgoing;
  acked: boolean;
  retries: number;
  kept: boolean;
  timer: NodeJS.Timeout | null;
  socket: WebSocket | null;
}

interface Sending {
  readonly item: Item;
  readonly retryAttempt: number;
  readonly socket: WebSocket;
}

const ACK_MS = 3000;
/** After the deadline: at once, after one minute, after five. */
const RETRY_MS = [0, 60_000, 300_000];

export function createDeliveries(
  sockets: Sockets,
  options: { readonly autoRetry: boolean; readonly retryScale: number },
): Deliveries {
  const items = new Map<string, Item>();
  const sendings = new Map<string, Sending>();
  const acknowledged: string[] = [];
  let last: string | null = null;
  let closed = false;

  const after = (item: Item, ms: number, run: () => void): void => {
    if (item.timer !== null) clearTimeout(item.timer);
    item.timer = closed ? null : setTimeout(run, ms * options.retryScale);
  };
  const transmit = (item: Item, retryAttempt: number, reason: string, socket: WebSocket): void => {
    const { type, payload } = item.outgoing;
    const envelopeId = randomUUID();
    const retry = type === 'events_api' ? { retry_attempt: retryAttempt, retry_reason: reason } : {};
    sendings.set(envelopeId, { item, retryAttempt, socket });
    item.socket = socket;
    item.kept = false;
    socket.send(
      JSON.stringify({
        envelope_id: envelopeId,
        payload,
        type,
        accepts_response_payload: type !== 'events_api',
        ...retry,
      }),
    );
    if (!item.acked) after(item, ACK_MS, () => overdue(item));
  };
  const attempt = (item: Item, reason: string): void => {
    const socket = sockets.pick(item.retries > 0 ? item.socket : null);
    if (socket !== null) return transmit(item, item.retries, reason, socket);
    if (item.outgoing.type === 'events_api') item.kept = true;
    else item.outgoing.late?.();
  };
  const retry = (item: Item, reason: string): void => {
    if (item.acked || item.retries >= RETRY_MS.length) return;
    item.retries += 1;
    attempt(item, reason);
  };
  const overdue = (item: Item): void => {
    if (item.acked) return;
    if (item.outgoing.type !== 'events_api') return item.outgoing.late?.();
    const wait = RETRY_MS[item.retries];
    if (!deliveries.autoRetry || wait === undefined) return;
    after(item, wait, () => retry(item, 'timeout'));
  };
  const acknowledge = (envelopeId: string, response: Payload): void => {
    acknowledged.push(envelopeId);
    const sending = sendings.get(envelopeId);
    if (sending === undefined) return;
    const first = !sending.item.acked;
    sending.item.acked = true;
    if (sending.item.timer !== null) clearTimeout(sending.item.timer);
    // The acknowledgement settles this sending and every earlier one of the same item.
    for (const [id, other] of sendings) {
      if (other.item === sending.item) sendings.delete(id);
      if (id === envelopeId) break;
    }
    if (first) sending.item.outgoing.acked?.(response);
  };

  const deliveries: Deliveries = {
    autoRetry: options.autoRetry,
    acknowledged,
    send(outgoing) {
      const item: Item = { outgoing, acked: false, retries: 0, kept: false, timer: null, socket: null };
      items.set(outgoing.id, item);
      if (outgoing.type === 'events_api') last = outgoing.id;
      attempt(item, '');
    },
    redeliver(id, retryAttempt, to) {
      const found = [...items.values()].filter(({ outgoing }) => outgoing.id === id || outgoing.about === id);
      if (found.length === 0) throw new Error(`no such event: ${id}`);
      for (const item of found) {
        const one = sockets.pick(item.socket);
        const targets = to === 'all' ? sockets.open() : one === null ? [] : [one];
        if (targets.length === 0) item.kept = true;
        for (const socket of targets) transmit(item, retryAttempt, retryAttempt > 0 ? 'timeout' : '', socket);
      }
    },
    flush() {
      for (const item of items.values()) {
        if (!item.kept) continue;
        item.retries = Math.max(1, item.retries);
        attempt(item, 'connection_failed');
      }
    },
    lost(socket) {
      const items = new Set<Item>();
      for (const [id, sending] of sendings) {
        if (sending.socket !== socket) continue;
        sendings.delete(id);
        if (!sending.item.acked) items.add(sending.item);
      }
      if (closed || !deliveries.autoRetry) return;
      for (const item of items) if (item.outgoing.type === 'events_api') retry(item, 'connection_failed');
    },
    received(frame) {
      if (!isObject(frame) || typeof frame['envelope_id'] !== 'string') return;
      acknowledge(frame['envelope_id'], isObject(frame['payload']) ? frame['payload'] : {});
    },
    unacked() {
      const sent = [...sendings].map(([envelopeId, { item, retryAttempt }]): Unacked => {
        const { id, type } = item.outgoing;
        return { id, type, envelopeId, retryAttempt, kept: false };
      });
      const kept = [...items.values()].filter((item) => item.kept);
      return [...sent, ...kept.map(({ outgoing: { id, type }, retries }) => keptItem(id, type, retries))];
    },
    lastId: () => last,
    close() {
      closed = true;
      for (const item of items.values()) if (item.timer !== null) clearTimeout(item.timer);
    },
  };
  return deliveries;
}

function keptItem(id: string, type: string, retryAttempt: number): Unacked {
  return { id, type, envelopeId: null, retryAttempt, kept: true };
}
