/** The agent session of a thread, with Slack's own Stop button: none is left `processing` when its answer is over. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { askIn, connect, fresh, unpaced, view } from './setup.ts';

test('of many answers at once only as many begin a session as can be ended in the same minute', async () => {
  const { server, app, close } = await connect();
  onTestFinished(close);
  const statuses = (status: string) =>
    server.calls.filter(
      ({ method, args }) => method === 'agents.sessions.setStatus' && args.status === status,
    );
  const replies = Array.from({ length: 60 }, () => unpaced(app.platform, askIn(server), fresh().start));
  for (const reply of replies)
    await reply.show(view({ state: 'searching', status: 'is searching the web…' }));
  await vi.waitFor(() => expect(statuses('processing').length).toBeGreaterThanOrEqual(20), 5_000);
  await Promise.all(replies.map((reply) => reply.close()));
  expect(statuses('active')).toHaveLength(statuses('processing').length);
});
