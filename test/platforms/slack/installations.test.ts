/** `authorize` as an installation store would answer it: what is stored is keyed by the workspace that the app is installed in. */
import { App, type AuthorizeSourceData } from '@slack/bolt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createSdkLogger } from '../../../src/platforms/slack/client.ts';
import type { SlackSelf } from '../../../src/platforms/slack/decode-text.ts';
import { addListeners, type Installation } from '../../../src/platforms/slack/events.ts';
import { SocketReceiver } from '../../../src/platforms/slack/receiver.ts';
import { type SlackServer, startSlackServer } from '../../servers/slack/server.ts';
import { silentLog as log } from './log.ts';
import { ADA, COMMANDS, GENERAL, memoryIntake } from './setup.ts';

test('a question belongs to the installation that the event is for, not to the workspace that its envelope names', async () => {
  const { server, intake } = await listenAs((source) => selfIn(source.teamId ?? ''));
  for (const team_id of ['T0HARBOR01', 'T0SECOND02']) {
    const event = { type: 'app_mention', user: ADA, channel: GENERAL, text: 'why?', ts: '1800000000.000100' };
    const authorizations = [{ team_id, user_id: 'UBOT', is_bot: true, is_enterprise_install: false }];
    const payload = { team_id: 'T0PARTNER1', context_team_id: 'T0PARTNER1', event, authorizations };
    server.deliverRaw({ envelope_id: team_id, type: 'events_api', payload });
  }
  await vi.waitFor(() => expect(intake.questions).toHaveLength(2));
  expect(intake.questions.map(({ workspace }) => workspace).sort()).toEqual(['T0HARBOR01', 'T0SECOND02']);
  expect(new Set(intake.questions.map(({ id }) => id)).size).toBe(2);
});

test('an event whose installation cannot be looked up just now comes again', async () => {
  let isBroken = true;
  const { server, intake } = await listenAs(({ teamId = '' }) => {
    if (isBroken) throw new Error('the store is away');
    return selfIn(teamId);
  });
  server.say({ user: ADA, channel: 'D000000ADA', text: 'why?' });
  await vi.waitFor(() => expect(server.unacked().length).toBeGreaterThan(1), 2_000);
  expect(server.acknowledged).toEqual([]);
  isBroken = false;
  await vi.waitFor(() => expect(intake.questions).toMatchObject([{ text: 'why?' }]), 5_000);
});

function selfIn(team: string): SlackSelf {
  return { team, user: 'UBOT', bot: 'BBOT', name: 'footnote' };
}

async function listenAs(lookUp: (source: AuthorizeSourceData<boolean>) => SlackSelf) {
  const server = await startSlackServer({ retryScale: 0.02 });
  const app = startApp(server, lookUp);
  const intake = memoryIntake();
  addListeners(app, {
    commands: COMMANDS,
    intake,
    researchCommands: { run: async () => '', choices: async () => [] },
    log,
  });
  await app.start();
  onTestFinished(async () => {
    await app.stop();
    await server.close();
  });
  return { server, intake };
}

function startApp(
  { appToken, apiUrl, botToken }: SlackServer,
  lookUp: (source: AuthorizeSourceData<boolean>) => SlackSelf,
) {
  return new App<Installation>({
    receiver: new SocketReceiver({ appToken, apiUrl, log }),
    async authorize(source) {
      const self = lookUp(source);
      return {
        botToken,
        botId: self.bot,
        botUserId: self.user,
        teamId: self.team,
        reader: { self, names: { known: () => null } },
      };
    },
    convoStore: false,
    clientOptions: { slackApiUrl: apiUrl },
    logger: createSdkLogger(log),
  });
}
