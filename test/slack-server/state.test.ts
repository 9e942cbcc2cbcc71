import { describe, expect, test } from 'vitest';
import { startSlackServer } from '../servers/slack/server.ts';
import type { SlackState } from '../servers/slack/types.ts';
import { clientOf, post, startStandIn } from './setup.ts';

describe('a snapshot', () => {
  test('is plain JSON from which a new stand-in continues the conversations', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    const root = slack.say({ ...where, user: person('ada'), text: 'a question' });
    const ts = await post(client, { ...where, thread_ts: root, markdown_text: '**an answer**' });
    await client.reactions.add({ ...where, timestamp: root, name: 'eyes' });
    const before = slack.history(where.channel);
    const state = JSON.parse(JSON.stringify(slack.snapshot())) as SlackState;
    await slack.close();

    const next = await startSlackServer({ state });
    expect(next.history(where.channel)).toEqual(before);
    await clientOf(next).chat.update({ ...where, ts, markdown_text: '**a better answer**' });
    const reply = next.say({ ...where, user: person('ada'), text: 'thanks', threadTs: root });
    expect(next.history(where.channel, root).map((message) => message.text)).toEqual([
      'a question',
      '**a better answer**',
      'thanks',
    ]);
    expect(Number(reply)).toBeGreaterThan(Number(ts));
    expect(state.messages).toHaveLength(2);
    await next.close();
  });
});

describe('change listeners', () => {
  test('hear of everything a person could see, until they are taken away', async () => {
    const { slack, client, channel, person } = await startStandIn();
    let changes = 0;
    const stop = slack.onChange(() => changes++);
    const where = { channel: channel('general') };
    const timestamp = slack.say({ ...where, user: person('ada'), text: 'hi' });
    await client.reactions.add({ ...where, timestamp, name: 'eyes' });
    await client.chat.postEphemeral({ ...where, user: person('ada'), text: 'psst' });
    expect(changes).toBe(3);
    stop();
    slack.remove({ ...where, ts: timestamp });
    expect(changes).toBe(3);
  });
});
