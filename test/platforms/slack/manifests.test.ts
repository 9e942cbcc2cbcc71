/** The manifests name all that the app listens to and calls, and nothing else: judged by what goes over the wire. */
import { describe, expect, test, vi } from 'vitest';
import { researchView } from '../../contracts/research-messages.ts';
import { SCOPES_OF_METHODS } from '../../servers/slack/scopes.ts';
import { readManifest } from './manifest.ts';
import { ADA, allAcknowledged, askIn, COMMANDS, fresh, GENERAL, listening, unpaced, view } from './setup.ts';

const DM = 'D000000ADA';

const SCOPES_OF_EVENTS: Readonly<Record<string, string>> = {
  agent_session_stopped: 'chat:write',
  app_mention: 'app_mentions:read',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  'message.mpim': 'mpim:history',
};
/** What features of the manifest need by themselves. */
const SCOPES_OF_FEATURES = ['commands', 'assistant:write', 'files:read'];

type Connected = Awaited<ReturnType<typeof listening>>;

/** Each event we listen to, and that it does something. */
const EFFECTS: Readonly<Record<string, (connected: Connected) => Promise<void>>> = {
  async app_mention({ server, intake }) {
    const event = { type: 'app_mention', user: ADA, text: '<@U0FOOTNOTE> why?' };
    server.event({ channel: GENERAL, event });
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1));
  },
  async message({ server, intake }) {
    server.say({ user: ADA, channel: DM, text: 'why?' });
    await vi.waitFor(() => expect(intake.questions).toHaveLength(1));
  },
  async agent_session_stopped({ server, intake }) {
    const threadTs = server.say({ user: ADA, channel: GENERAL, text: 'a root' });
    server.stopSession({ user: ADA, channel: GENERAL, threadTs });
    await vi.waitFor(() => expect(intake.stops).toHaveLength(1));
  },
};

describe.each(['slack.yaml', 'slack-minimal.yaml'] as const)('%s', (name) => {
  const manifest = readManifest(name);

  test('subscribes to the events that are listened to, and to no others', () => {
    const families = manifest.events.map((event) => event.split('.')[0]);
    expect(new Set(families)).toEqual(new Set(Object.keys(EFFECTS)));
    for (const event of manifest.events) expect(manifest.scopes).toContain(SCOPES_OF_EVENTS[event]);
  });

  test('declares the commands that are answered, and says how each is used', async () => {
    const { server } = await listening();
    expect(manifest.commands).toEqual(Object.values(COMMANDS));
    for (const command of manifest.commands) {
      server.command({ user: ADA, channel: GENERAL, command, text: command === '/jobs' ? 'delete all' : '' });
      await vi.waitFor(() => expect(server.ephemerals.at(-1)?.text).toContain(command));
    }
    expect(server.ephemerals.map(({ from }) => from)).toEqual(['bot', 'bot', 'bot']);
  });

  test('declares the shortcuts that are answered', async () => {
    const { server, intake } = await listening();
    const ts = server.otherBot({ channel: GENERAL, text: 'The build is green.' });
    for (const callbackId of manifest.callbacks)
      server.shortcut({ user: ADA, channel: GENERAL, ts, callbackId });
    await allAcknowledged(server);
    expect(intake.questions).toMatchObject([{ trigger: 'shortcut' }]);
    expect(manifest.callbacks).toHaveLength(1);
    expect(manifest.text).toMatch(/interactivity:\n\s+is_enabled: true/);
    expect(manifest.text).toContain('socket_mode_enabled: true');
  });

  test('asks for no scope that nothing uses', async () => {
    const used = new Set([
      ...SCOPES_OF_FEATURES,
      ...manifest.events.map((event) => SCOPES_OF_EVENTS[event]),
      ...(await calledMethods()).flatMap((method) => SCOPES_OF_METHODS[method] ?? []),
    ]);
    expect(manifest.scopes.filter((scope) => !used.has(scope))).toEqual([]);
    expect(manifest.text).toContain('agent_view:');
  });
});

describe('events', () => {
  test.each(Object.entries(EFFECTS))('%s does something', async (_type, happen) => {
    await happen(await listening());
  });
});

describe('scopes', () => {
  test('slack.yaml has all that a conversation with every kind of call needs', async () => {
    const methods = await calledMethods();
    // Something of every scope that there is: a list that is too short would prove nothing.
    expect(methods).toEqual(expect.arrayContaining(ONE_PER_SCOPE));
    const { scopes } = readManifest('slack.yaml');
    for (const method of methods) expect(scopes).toEqual(expect.arrayContaining([...scopesOf(method)]));
  });

  test('slack-minimal.yaml reads no channel', () => {
    const { scopes } = readManifest('slack-minimal.yaml');
    expect(scopes.filter((scope) => /^(?:channels|groups|mpim):/.test(scope))).toEqual([]);
    expect(scopes).toContain('chat:write');
  });
});

const ONE_PER_SCOPE = [
  'chat.startStream',
  'chat.postMessage',
  'assistant.threads.setStatus',
  'reactions.add',
  'users.info',
  'conversations.open',
  'conversations.replies',
  'files.completeUploadExternal',
];

function scopesOf(method: string): readonly string[] {
  const scopes = SCOPES_OF_METHODS[method];
  if (scopes === undefined) throw new Error(`no scopes are known for ${method}`);
  return scopes;
}

/**
 * The Web API methods that the stand-in was called with while everything was done once that needs a scope. The stand-in
 * grants what slack.yaml asks for, here and in every other test of this folder, and refuses the rest.
 */
async function calledMethods(): Promise<readonly string[]> {
  const { server, app } = await listening();
  const question = askIn(server);
  const signal = new AbortController().signal;
  await app.platform.markWaiting(question, true);
  await app.platform.markWaiting(question, false);
  const followUp = { ...question, message: { ...questionMessage(question), message: '1900000000.000100' } };
  await app.platform.readThread(followUp, null, signal);
  await app.platform.readThread(question, 1, signal);
  await app.platform.nameOf(server.team, ADA);
  const reply = unpaced(app.platform, question, fresh().start);
  await reply.show(view({ state: 'searching', status: 'is searching…' }));
  await reply.show(view({ text: 'Because it' }));
  await reply.show(view({ state: 'done', text: 'Because it was.' }));
  await reply.close();
  await app.platform.replyPrivately(question, 'Only for you.');
  await app.platform.directMessage(server.team, ADA, 'It is done.');
  const thread = question.thread ?? { platform: 'slack', workspace: '', channel: '', thread: '' };
  await app.platform.notify({
    question,
    place: { type: 'thread', thread },
    lead: 'Research finished in 6 min',
    view: researchView({ text: 'It was so.' }),
    file: { name: 'report.md', text: '# why?' },
    isRepeat: false,
  });
  expect(server.calls.filter(({ result }) => result === 'missing_scope')).toEqual([]);
  return [...new Set(server.calls.map(({ method }) => method))].filter((method) => method !== 'upload_url');
}

function questionMessage({ message }: ReturnType<typeof askIn>) {
  if (message === null) throw new Error('a question that was said has a message');
  return message;
}
