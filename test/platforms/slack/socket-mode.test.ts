import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Log } from '../../../src/core/ports.ts';
import type { Question } from '../../../src/core/types.ts';
import { openSlack } from '../../../src/platforms/slack/app.ts';
import { startSlackServer } from '../../servers/slack/server.ts';
import type { DisconnectReason } from '../../servers/slack/types.ts';
import { silentLog } from './log.ts';
import { ADA, COMMANDS, connect, failureOf, fresh, GENERAL, openApp, unpaced, view } from './setup.ts';

type Connected = Awaited<ReturnType<typeof connect>>;
const open: Connected[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((connected) => connected.close()));
});

async function listening(options: Parameters<typeof connect>[0] = {}): Promise<Connected> {
  const connected = await connect(options);
  open.push(connected);
  await connected.app.listen(connected.intake, connected.researchCommands);
  return connected;
}

describe('starting', () => {
  test.each([
    ['a wrong bot token', { botToken: 'xoxb-wrong' }, 'SLACK_BOT_TOKEN'],
    ['a wrong app token', { appToken: 'xapp-wrong' }, 'SLACK_APP_TOKEN'],
    ['swapped tokens', { botToken: 'xapp-1', appToken: 'xoxb-1' }, 'SLACK_BOT_TOKEN'],
    ['a user token', { botToken: 'xoxp-1' }, 'SLACK_BOT_TOKEN'],
    ['a bot token as app token', { appToken: 'xoxb-1' }, 'SLACK_APP_TOKEN'],
  ])('%s is named, with the cure', async (_name, tokens, variable) => {
    const server = await startSlackServer();
    const { botToken, appToken, apiUrl } = server;
    const options = { botToken, appToken, apiUrl, commands: COMMANDS, log: silentLog, ...tokens };
    const failure = await failureOf(openSlack(options));
    expect(failure.kind).toBe('not-authorised');
    expect(failure.remedy).toContain(variable);
    expect(failure.remedy).not.toMatch(/xoxb-wrong|xapp-wrong|xo..-1|xapp-1/);
    await server.close();
  });

  test('an address where nobody answers is unreachable within 5 s', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo; // a TCP server that listens
    const startedAt = performance.now();
    for (const apiUrl of [`http://127.0.0.1:${port}/api/`, 'http://127.0.0.1:1/api/']) {
      const options = { botToken: 'xoxb-1', appToken: 'xapp-1', apiUrl, commands: COMMANDS, log: silentLog };
      const failure = await failureOf(openSlack(options));
      expect(failure).toMatchObject({
        kind: 'unreachable',
        remedy: expect.stringContaining('SLACK_API_URL'),
      });
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    silent.close();
  });
});

describe('events', () => {
  test('both twins of a mention are acknowledged, and asked once', async () => {
    const { server, intake } = await listening();
    server.say({ user: ADA, channel: GENERAL, text: '@footnote why?' });
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    expect(intake.calls).toBe(2);
    expect(intake.questions).toMatchObject([{ trigger: 'mention', text: 'why?' }]);
  });

  test('an event is acknowledged only once it is stored', async () => {
    const { server, intake } = await listening();
    const gate = Promise.withResolvers<void>();
    intake.gate = gate.promise;
    server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
    await vi.waitFor(() => expect(intake.calls).toBe(1));
    expect(server.unacked()).toHaveLength(1);
    gate.resolve();
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    expect(intake.questions).toHaveLength(1);
  });

  test('an event that cannot be stored is delivered again until it can', async () => {
    const { server, intake } = await listening({ retryScale: 0.02 });
    intake.isBroken = true;
    server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
    await vi.waitFor(() => expect(intake.calls).toBeGreaterThan(1), 5_000);
    expect(server.acknowledged).toEqual([]);
    intake.isBroken = false;
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1), 15_000);
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
  });

  test('a redelivery on every socket is asked once', async () => {
    const { server, intake } = await listening();
    await vi.waitFor(() => expect(server.sockets()).toBe(2), 5_000);
    const ts = server.say({ user: ADA, channel: GENERAL, text: '@footnote why?' });
    await vi.waitFor(() => expect(intake.calls).toBe(2));
    server.redeliver(ts, { sockets: 'all' });
    await vi.waitFor(() => expect(intake.calls).toBe(6));
    expect(intake.questions).toHaveLength(1);
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
  });

  test('an edit that adds the mention asks, later edits of it do not', async () => {
    const { server, intake } = await listening();
    const ts = server.say({ user: ADA, channel: GENERAL, text: 'why?' });
    server.edit({ channel: GENERAL, ts, text: '@footnote why?' });
    await vi.waitFor(() =>
      expect(intake.questions).toMatchObject([{ text: 'why?', message: { message: ts } }]),
    );
    server.edit({ channel: GENERAL, ts, text: '@footnote why not?' });
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    expect(intake.questions).toHaveLength(1);
  });

  test('somebody from another workspace is answered in ours, as a guest of theirs', async () => {
    const { server, intake, app } = await listening();
    const otto = server.people.find(({ team }) => team !== server.team);
    server.say({ user: otto?.id ?? '', channel: 'C0PARTNERS', text: '@footnote why?' });
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1));
    const question = intake.questions[0] as Question; // there is one, as just seen
    expect(question).toMatchObject({ workspace: server.team, delivery: { recipientTeam: otto?.team } });
    const reply = unpaced(app.platform, question, fresh().start);
    await reply.show(view({ text: 'Because of ' }));
    await reply.close();
    expect(server.calls.filter(({ method }) => method === 'chat.startStream')).toMatchObject([
      { result: 'ok' },
    ]);
  });

  test('neither our own messages nor those of other bots ask', async () => {
    const { server, intake } = await listening();
    server.otherBot({ channel: GENERAL, text: '<@U0FOOTNOTE> why?' });
    const ts = server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
    await vi.waitFor(() => expect(intake.questions).toMatchObject([{ message: { message: ts } }]));
    await vi.waitFor(() => expect(server.unacked()).toEqual([]));
    expect(intake.calls).toBe(1);
  });
});

describe('staying connected', () => {
  test.each<DisconnectReason>(['warning', 'refresh_requested', 'link_disabled'])(
    'no message is lost while Slack renews a socket (%s)',
    async (reason) => {
      // When an admin switches the sockets off, all close at once: only then Slack has to deliver again.
      const { server, intake, app } = await listening({
        autoRetry: reason === 'link_disabled',
        retryScale: 0.05,
      });
      await vi.waitFor(() => expect(server.sockets()).toBe(2), 5_000);
      server.disconnect(reason);
      const texts = Array.from({ length: 20 }, (_, i) => `question ${i}`);
      for (const text of texts) {
        server.say({ user: ADA, channel: 'D000000ADA', text });
        await new Promise(setImmediate);
      }
      await vi.waitFor(
        () => expect(intake.questions.map(({ text }) => text).sort()).toEqual(texts.sort()),
        5_000,
      );
      await vi.waitFor(() => expect(server.sockets()).toBe(2), 5_000);
      expect(app.ready()).toBe(true);
    },
  );

  test('a socket that is to be renewed stays until the new one is there', async () => {
    const { server } = await listening();
    await vi.waitFor(() => expect(server.sockets()).toBe(2), 5_000);
    const opens = () => server.calls.filter(({ method }) => method === 'apps.connections.open').slice(3);
    server.fault('apps.connections.open', { status: 503 });
    server.disconnect('warning');
    let fewest = 2;
    await vi.waitFor(
      () => {
        fewest = Math.min(fewest, server.sockets());
        expect(opens()).toMatchObject([{ result: 'http_503' }, { result: 'ok' }]);
      },
      { timeout: 5_000, interval: 5 },
    );
    expect(fewest).toBe(2);
  });

  test('all sockets cut and refused for a while come back, and what was said meanwhile arrives', async () => {
    const { server, intake, app } = await listening();
    server.fault('apps.connections.open', { status: 503 }, 2);
    server.refuseSockets(1);
    server.dropSockets();
    server.say({ user: ADA, channel: 'D000000ADA', text: 'still there?' });
    await vi.waitFor(() => expect(app.ready()).toBe(false));
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1), 15_000);
    expect(app.ready()).toBe(true);
  });

  test('sockets that Slack limits are opened when it allows, not before', async () => {
    const { server, app } = await listening();
    await vi.waitFor(() => expect(server.sockets()).toBe(2), 5_000);
    server.fault('apps.connections.open', { status: 429, retryAfter: 3 }, 2);
    server.dropSockets();
    const opens = () => server.calls.filter(({ method }) => method === 'apps.connections.open').slice(3);
    await vi.waitFor(() => expect(opens()).toMatchObject([{ status: 429 }, { status: 429 }]), 5_000);
    await vi.waitFor(() => expect(app.ready()).toBe(true), 15_000);
    const [first, , third] = opens();
    expect((third?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2_900);
  });

  test('a token revoked meanwhile makes it unready, says so once, and is no end', async () => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (_fields: object, message: string) => errors.push(message) };
    const connected = await connect({}, log);
    open.push(connected);
    const { server, app, intake, researchCommands } = connected;
    await app.listen(intake, researchCommands);
    server.fault('apps.connections.open', { error: 'invalid_auth' }, 5);
    server.dropSockets();
    await vi.waitFor(() => expect(errors).toHaveLength(1), 5_000);
    expect(app.ready()).toBe(false);
    expect(errors[0]).toContain('SLACK_APP_TOKEN');
    server.clearFaults();
    await vi.waitFor(() => expect(app.ready()).toBe(true), 15_000);
    expect(errors).toHaveLength(1);
  });

  test('a bot token revoked meanwhile makes it unready, says so once, and is no end', async () => {
    const errors: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (_fields, message) => void errors.push(message),
      child: () => log,
    };
    const { server, app, intake, researchCommands, close } = await connect({}, log);
    await app.listen(intake, researchCommands);
    server.fault('conversations.open', { error: 'token_revoked' }, 2);
    const tell = () => app.platform.directMessage(server.team, server.people[0]?.id ?? '', 'hello');
    await expect(tell()).rejects.toThrow();
    await expect(tell()).rejects.toThrow();
    expect(app.ready()).toBe(false);
    expect(errors.filter((message) => message.startsWith('SLACK_BOT_TOKEN'))).toHaveLength(1);
    await tell();
    expect(app.ready()).toBe(true);
    await close();
  });

  test('stops within 5 s while Slack does not answer', async () => {
    const server = await startSlackServer();
    const app = await openApp(server);
    server.fault('apps.connections.open', 'hang', 10);
    const intake = {
      accept: async () => 'ignored' as const,
      press: async () => null,
      stop: async () => {},
      withdraw: async () => {},
      overhear: async () => {},
      revise: async () => {},
    };
    const listening = app.listen(intake, { run: async () => '', choices: async () => [] });
    const startedAt = performance.now();
    await app.stop();
    await listening;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await server.close();
  });
});
