/** When Slack is told that something was taken: what is acknowledged is durable, what is not comes again or is said. */
import { describe, expect, test, vi } from 'vitest';
import { ADA, allAcknowledged, GENERAL, listening, memoryIntake, openApp } from './setup.ts';

const DM = 'D000000ADA';

describe.each(['/ask', '/research'])('%s', (command) => {
  test('is acknowledged only after it is stored', async () => {
    const { server, intake } = await listening();
    const gate = Promise.withResolvers<void>();
    intake.gate = gate.promise;
    server.command({ user: ADA, channel: GENERAL, command, text: 'why?' });
    await vi.waitFor(() => expect(intake.calls).toBe(1));
    await expectNothingFor(1_000, () => expect(server.acknowledged).not.toEqual([]));
    gate.resolve();
    await vi.waitFor(() => expect(server.acknowledged).toHaveLength(1));
    expect(intake.questions).toHaveLength(1);
    expect(server.ephemerals).toEqual([]);
  });

  test('that was being stored when the process died is reported to the person', async () => {
    const { server, intake } = await listening({ retryScale: 0.3 });
    intake.gate = new Promise(() => {});
    server.command({ user: ADA, channel: GENERAL, command, text: 'why?' });
    await vi.waitFor(() => expect(intake.calls).toBe(1));
    server.dropSockets();
    await vi.waitFor(() => expect(server.ephemerals).toMatchObject([{ user: ADA, from: 'slack' }]), 5_000);
    expect(server.ephemerals[0]?.text).toContain('operation_timeout');
  });
});

describe('while stopping', () => {
  test('what is being stored is acknowledged, what comes is left to the next process, nothing is lost', async () => {
    const { server, app, intake, researchCommands } = await listening({ retryScale: 0.1 });
    const gate = Promise.withResolvers<void>();
    intake.gate = gate.promise;
    server.say({ user: ADA, channel: DM, text: 'before' });
    await vi.waitFor(() => expect(intake.calls).toBe(1));
    const stopped = app.stop();
    server.say({ user: ADA, channel: DM, text: 'meanwhile' });
    server.command({ user: ADA, channel: GENERAL, command: '/ask', text: 'meanwhile, too' });
    // Slack reports the command to the person: by then the service has been offered both.
    await vi.waitFor(() => expect(server.ephemerals).toMatchObject([{ from: 'slack' }]), 2_000);
    expect(intake.calls).toBe(1);
    expect(server.acknowledged).toEqual([]);
    gate.resolve();
    await stopped;
    await vi.waitFor(() => expect(server.acknowledged).toHaveLength(1));
    expect(intake.questions).toMatchObject([{ text: 'before' }]);

    const next = await openApp(server);
    const nextIntake = memoryIntake();
    await next.listen(nextIntake, researchCommands);
    await vi.waitFor(() => expect(nextIntake.questions).toMatchObject([{ text: 'meanwhile' }]), 5_000);
    await allAcknowledged(server);
    await next.stop();
  });
});

describe('in a thread', () => {
  test('a command behind a mention and "Ask about this" stay in it', async () => {
    const { server, intake } = await listening();
    const root = server.say({ user: ADA, channel: GENERAL, text: 'a root' });
    const reply = server.otherBot({ channel: GENERAL, text: 'The build is green.', threadTs: root });
    server.say({ user: ADA, channel: GENERAL, text: '@footnote !research why?', threadTs: root });
    server.shortcut({ user: ADA, channel: GENERAL, ts: reply, callbackId: 'ask_about_message' });
    await allAcknowledged(server);
    const thread = { channel: GENERAL, thread: root };
    expect(intake.questions).toHaveLength(2);
    expect(intake.questions.find(({ trigger }) => trigger === 'mention')).toMatchObject({
      text: '!research why?',
      thread,
    });
    expect(intake.questions.find(({ trigger }) => trigger === 'shortcut')).toMatchObject({
      thread,
      message: { message: reply },
      quotes: [{ text: 'The build is green.' }],
    });
  });
});

describe('what is none of ours', () => {
  const base = {
    user: { id: ADA },
    channel: { id: GENERAL },
    team: { id: 'T0HARBOR01' },
    trigger_id: '1.2.3',
  };
  const message = { ts: '1800000000.000100', text: 'a message' };
  const press = (fields: object): object => ({ ...base, type: 'block_actions', actions: [fields] });

  test.each([
    ['another message shortcut', { ...base, type: 'message_action', callback_id: 'other', message }],
    ['a global shortcut', { ...base, type: 'shortcut', callback_id: 'ask_about_message' }],
    ["another app's button", press({ type: 'button', action_id: 'other', value: 'q-1', block_id: 'b' })],
    ['a button without a value', press({ type: 'button', action_id: 'footnote:stop', block_id: 'b' })],
    ['a menu', press({ type: 'static_select', action_id: 'menu', selected_option: null, block_id: 'b' })],
  ])('is acknowledged and ignored: %s', async (_name, payload) => {
    const { server, intake } = await listening();
    server.deliverRaw({ envelope_id: 'e1', type: 'interactive', payload });
    await vi.waitFor(() => expect(server.acknowledged).toEqual(['e1']), 2_000);
    expect(intake.calls).toBe(0);
  });
});

/** Rejects when it happens within so many milliseconds. */
async function expectNothingFor(ms: number, happened: () => void): Promise<void> {
  await expect(vi.waitFor(happened, ms)).rejects.toThrow();
}
