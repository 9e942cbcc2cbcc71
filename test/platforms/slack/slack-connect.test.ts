import { describe, expect, test, vi } from 'vitest';
import { ADA, allAcknowledged, listening } from './setup.ts';

const OTTO = 'U00000OTTO';
const PARTNERS = 'C0PARTNERS';

/** A channel shared with another workspace: everything that is done there belongs to the workspace we are installed in. */
describe('in a channel shared through Slack Connect', () => {
  test.each([
    ['somebody of ours', ADA, 'T0HARBOR01'],
    ['somebody from outside', OTTO, 'T0PARTNER1'],
  ])('a mention by %s is asked once, under our workspace, and its deletion ends it', async (...given) => {
    const [, user, recipientTeam] = given;
    const { server, intake } = await listening();
    const ts = server.say({ user, channel: PARTNERS, text: '@footnote why?' });
    await allAcknowledged(server);
    expect(intake.calls).toBe(2);
    expect(intake.questions).toHaveLength(1);
    const { team: workspace } = server;
    const place = { workspace, channel: PARTNERS };
    expect(intake.questions[0]).toMatchObject({
      ...place,
      delivery: { recipientTeam },
      thread: { ...place, thread: ts },
      message: { ...place, message: ts },
    });
    server.remove({ channel: PARTNERS, ts });
    await allAcknowledged(server);
    expect(intake.withdrawn).toEqual([intake.questions[0]?.id]);
  });

  test("Slack's Stop, /jobs and the shortcut mean our workspace too", async () => {
    const { server, intake, researchCommands } = await listening();
    const ts = server.say({ user: OTTO, channel: PARTNERS, text: 'a thought' });
    server.stopSession({ user: OTTO, channel: PARTNERS, threadTs: ts });
    // Commands and shortcuts are there for the people of the installation's workspace alone.
    server.command({ user: ADA, channel: PARTNERS, command: '/jobs', text: '' });
    server.command({ user: ADA, channel: PARTNERS, command: '/ask', text: 'why?' });
    server.shortcut({ user: ADA, channel: PARTNERS, ts, callbackId: 'ask_about_message' });
    await vi.waitFor(() => expect(researchCommands.requests).toHaveLength(1));
    await allAcknowledged(server);
    const { team: workspace } = server;
    expect(intake.stops).toEqual([{ workspace, thread: ts, by: OTTO }]);
    expect(researchCommands.requests).toMatchObject([{ workspace }]);
    expect(intake.questions.map((question) => question.workspace)).toEqual([workspace, workspace]);
    const byShortcut = intake.questions.find(({ trigger }) => trigger === 'shortcut');
    expect(byShortcut).toMatchObject({ thread: { workspace }, message: { workspace } });
  });
});
