import { expect, onTestFinished, test, vi } from 'vitest';
import type { Log } from '../../../src/core/ports.ts';
import { silentLog } from './log.ts';
import { connect } from './setup.ts';

test('sockets that open and end at once are one warning, with the reason, however often', async () => {
  const lines: object[] = [];
  const log: Log = {
    ...silentLog,
    info: (_fields, message) => void lines.push({ info: message }),
    warn: (fields, message) => void lines.push({ warn: message, ...fields }),
    error: (_fields, message) => void lines.push({ error: message }),
    child: () => log,
  };
  const { server, app, intake, researchCommands, close } = await connect({}, log);
  onTestFinished(close);
  await app.listen(intake, researchCommands);
  lines.length = 0;
  const dropping = setInterval(() => server.dropSockets(), 20);
  const opens = () => server.calls.filter(({ method }) => method === 'apps.connections.open').length;
  const before = opens();
  await vi.waitFor(() => expect(opens() - before).toBeGreaterThan(9), 20_000);
  clearInterval(dropping);
  await vi.waitFor(() => expect(app.ready()).toBe(true), 20_000);
  const reason = expect.stringMatching(/no WebSocket to .*(?:ended at once|closed before it was open)/);
  expect(lines).toEqual([{ warn: 'cannot connect to Slack; still trying', reason }]);
});
