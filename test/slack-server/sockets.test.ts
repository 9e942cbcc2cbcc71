import { describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { clientOf, errorOf, startBolt, startStandIn } from './setup.ts';

interface Frame {
  readonly type: string;
  readonly reason?: string;
  readonly envelope_id?: string;
  readonly retry_attempt?: number;
  readonly retry_reason?: string;
  readonly num_connections?: number;
  readonly payload?: { readonly event_id: string };
}

type StandIn = Awaited<ReturnType<typeof startStandIn>>;

/** A bare socket that acknowledges only when told to. */
async function openSocket({ slack }: StandIn) {
  const { url } = await clientOf(slack, slack.appToken).apps.connections.open({});
  const socket = new WebSocket(url!);
  const frames: Frame[] = [];
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  socket.on('error', () => {});
  const events = (): readonly Frame[] => frames.filter((frame) => frame.type === 'events_api');
  const ack = (frame: Frame): void =>
    socket.send(JSON.stringify({ envelope_id: frame.envelope_id, payload: {} }));
  await vi.waitFor(() =>
    expect(frames.length + (socket.readyState === WebSocket.CLOSED ? 1 : 0)).toBeGreaterThan(0),
  );
  return { socket, frames, events, ack };
}

function sayHello({ slack, channel, person }: StandIn): string {
  return slack.say({ user: person('ada'), channel: channel('dm-ada'), text: 'hello' });
}

describe('Socket Mode', () => {
  test('greets, takes an acknowledgement, and knows what is still open', async () => {
    const standIn = await startStandIn();
    const { frames, events, ack } = await openSocket(standIn);
    expect(frames[0]).toMatchObject({
      type: 'hello',
      num_connections: 1,
      connection_info: { app_id: 'A0FOOTNOTE' },
    });
    sayHello(standIn);
    await vi.waitFor(() => expect(events()).toHaveLength(1));
    expect(events()[0]).toMatchObject({
      retry_attempt: 0,
      retry_reason: '',
      accepts_response_payload: false,
    });
    expect(standIn.slack.unacked()).toMatchObject([{ type: 'events_api', retryAttempt: 0, kept: false }]);
    ack(events()[0]!);
    await vi.waitFor(() => expect(standIn.slack.unacked()).toEqual([]));
    expect(standIn.slack.acknowledged).toEqual([events()[0]!.envelope_id]);
  });

  test('sends what is not acknowledged again, at once and twice more, then gives up', async () => {
    const standIn = await startStandIn({ retryScale: 0.001 });
    const { events } = await openSocket(standIn);
    sayHello(standIn);
    await vi.waitFor(() => expect(events()).toHaveLength(4));
    expect(events().map((frame) => [frame.retry_attempt, frame.retry_reason])).toEqual([
      [0, ''],
      [1, 'timeout'],
      [2, 'timeout'],
      [3, 'timeout'],
    ]);
    expect(new Set(events().map((frame) => frame.payload?.event_id)).size).toBe(1);
    expect(new Set(events().map((frame) => frame.envelope_id)).size).toBe(4);
  });

  test('keeps events while no socket is open and delivers them as retries to the next one', async () => {
    const standIn = await startStandIn();
    sayHello(standIn);
    expect(standIn.slack.unacked()).toMatchObject([{ kept: true, envelopeId: null }]);
    const { events } = await openSocket(standIn);
    await vi.waitFor(() => expect(events()).toHaveLength(1));
    expect(events()[0]).toMatchObject({ retry_attempt: 1, retry_reason: 'connection_failed' });
  });

  test('hands what a lost socket left unacknowledged to another one', async () => {
    const standIn = await startStandIn({ random: () => 0 });
    const first = await openSocket(standIn);
    const second = await openSocket(standIn);
    sayHello(standIn);
    await vi.waitFor(() => expect(first.events()).toHaveLength(1));
    first.socket.terminate();
    await vi.waitFor(() => expect(second.events()).toHaveLength(1));
    expect(second.events()[0]).toMatchObject({ retry_attempt: 1 });
  });

  test('sends an event again on request, by ts to the other socket, or to all', async () => {
    const standIn = await startStandIn({ random: () => 0 });
    const first = await openSocket(standIn);
    const second = await openSocket(standIn);
    const ts = sayHello(standIn);
    await vi.waitFor(() => expect(first.events()).toHaveLength(1));
    first.ack(first.events()[0]!);
    standIn.slack.redeliver(ts, { retryAttempt: 2 });
    await vi.waitFor(() => expect(second.events()).toHaveLength(1));
    expect(second.events()[0]).toMatchObject({ retry_attempt: 2, payload: first.events()[0]!.payload });
    standIn.slack.redeliver('last', { sockets: 'all', retryAttempt: 0 });
    await vi.waitFor(() => expect([first.events().length, second.events().length]).toEqual([2, 2]));
    expect(() => standIn.slack.redeliver('Ev-unknown')).toThrow('no such event');
  });

  test('allows ten sockets and turns the eleventh away', async () => {
    const standIn = await startStandIn();
    for (let i = 0; i < 10; i++) await openSocket(standIn);
    const { frames, socket } = await openSocket(standIn);
    expect(frames[0]).toMatchObject({ type: 'disconnect', reason: 'too_many_websockets' });
    await vi.waitFor(() => expect(socket.readyState).toBe(WebSocket.CLOSED));
    expect(standIn.slack.sockets()).toBe(10);
  });

  test('announces a refresh, prefers the other socket from then on, and closes', async () => {
    const standIn = await startStandIn({ random: () => 0 });
    const first = await openSocket(standIn);
    const second = await openSocket(standIn);
    standIn.slack.disconnect('refresh_requested');
    await vi.waitFor(() => expect(first.frames.at(-1)).toMatchObject({ reason: 'refresh_requested' }));
    sayHello(standIn);
    await vi.waitFor(() => expect(second.events()).toHaveLength(1));
    await vi.waitFor(() => expect(first.socket.readyState).toBe(WebSocket.CLOSED));
    expect(first.events()).toEqual([]);
    standIn.slack.disconnect('link_disabled');
    await vi.waitFor(() => expect(standIn.slack.sockets()).toBe(0));
  });

  test('drops and refuses sockets on request, and a ticket is good once', async () => {
    const standIn = await startStandIn();
    const first = await openSocket(standIn);
    standIn.slack.dropSockets();
    await vi.waitFor(() => expect(first.socket.readyState).toBe(WebSocket.CLOSED));
    standIn.slack.refuseSockets(1);
    await openSocket(standIn);
    expect(standIn.slack.sockets()).toBe(0);
    const again = await openSocket(standIn);
    expect(standIn.slack.sockets()).toBe(1);
    const stale = new WebSocket(again.socket.url);
    stale.on('error', () => {});
    await vi.waitFor(() => expect(stale.readyState).toBe(WebSocket.CLOSED));
    expect(standIn.slack.sockets()).toBe(1);
  });

  test('delivers any frame as it is', async () => {
    const standIn = await startStandIn();
    const { frames } = await openSocket(standIn);
    standIn.slack.deliverRaw({
      type: 'events_api',
      envelope_id: 'e1',
      payload: { type: 'app_rate_limited' },
    });
    standIn.slack.deliverRaw('null');
    await vi.waitFor(() => expect(frames).toHaveLength(3));
    expect(frames.slice(1)).toEqual([
      { type: 'events_api', envelope_id: 'e1', payload: { type: 'app_rate_limited' } },
      null,
    ]);
  });

  test('gives links only to the app-level token', async () => {
    const { slack } = await startStandIn();
    expect(await errorOf(clientOf(slack).apps.connections.open({}))).toBe('not_allowed_token_type');
    expect(await errorOf(clientOf(slack, 'xapp-wrong').apps.connections.open({}))).toBe('invalid_auth');
    expect(await errorOf(clientOf(slack, slack.appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await errorOf(clientOf(slack, 'xoxb-wrong').auth.test())).toBe('invalid_auth');
  });

  test('feeds one Bolt app through two receivers without losing an event when one refreshes', async () => {
    const standIn = await startStandIn();
    const { slack } = standIn;
    const app = await startBolt(slack, 2);
    const heard: string[] = [];
    app.message(async ({ message }) => void heard.push(message.ts));
    const said = [sayHello(standIn)];
    slack.disconnect('warning');
    said.push(sayHello(standIn), sayHello(standIn));
    await vi.waitFor(() => expect([...heard].sort()).toEqual(said));
    await vi.waitFor(() => expect(slack.unacked()).toEqual([]));
  });
});
