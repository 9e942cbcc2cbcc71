import { describe, expect, test } from 'vitest';
import { errorOf, startStandIn } from './setup.ts';

async function withThread(options: Parameters<typeof startStandIn>[0] = {}) {
  const standIn = await startStandIn(options);
  const { slack, client, channel, person } = standIn;
  const where = { channel: channel('general') };
  const root = slack.say({ ...where, user: person('ada'), text: '@footnote what is a tide?' });
  const recipient = { recipient_user_id: person('ada'), recipient_team_id: slack.team };
  const begin = async (text = ''): Promise<{ channel: string; ts: string }> => {
    const { ts } = await client.chat.startStream({
      ...where,
      ...recipient,
      thread_ts: root,
      ...(text === '' ? {} : { markdown_text: text }),
    });
    return { ...where, ts: ts! };
  };
  const answer = () => slack.history(where.channel, root)[1];
  return { ...standIn, where, root, recipient, begin, answer };
}

describe('a native stream', () => {
  test('grows with every append and is finished by stop, with blocks below and metadata', async () => {
    const { client, begin, answer } = await withThread();
    const message = await begin('A tide ');
    expect(answer()).toMatchObject({ text: 'A tide ', streaming: true, bot: true });
    await client.chat.appendStream({ ...message, markdown_text: 'is the rise ' });
    await client.chat.appendStream({ ...message, chunks: [{ type: 'markdown_text', text: 'of the sea.' }] });
    expect(answer()!.text).toBe('A tide is the rise of the sea.');
    const metadata = { event_type: 'footnote_reply', event_payload: { part: 1 } };
    await client.chat.stopStream({
      ...message,
      markdown_text: ' [1]',
      metadata,
      blocks: [{ type: 'context', elements: [{ type: 'mrkdwn', text: 'sonar · 3 sources' }] }],
    });
    expect(answer()).toMatchObject({
      text: 'A tide is the rise of the sea. [1]\nsonar · 3 sources',
      streaming: false,
      edited: false,
      metadata,
    });
  });

  test('wants its recipient outside DMs, and the right team for it', async () => {
    const { client, where, root, recipient, channel, slack, person } = await withThread();
    const start = { ...where, thread_ts: root };
    const { recipient_user_id, recipient_team_id } = recipient;
    expect(await errorOf(client.chat.startStream({ ...start, recipient_team_id }))).toBe(
      'missing_recipient_user_id',
    );
    expect(await errorOf(client.chat.startStream({ ...start, recipient_user_id }))).toBe(
      'missing_recipient_team_id',
    );
    const stranger = { recipient_user_id: person('otto'), recipient_team_id: slack.team };
    expect(await errorOf(client.chat.startStream({ ...start, ...stranger }))).toBe('invalid_arguments');
    expect(await errorOf(client.apiCall('chat.startStream', { ...where, ...recipient }))).toBe(
      'invalid_arguments',
    );
    const dm = slack.say({ user: person('ada'), channel: channel('dm-ada'), text: 'hi' });
    expect(await errorOf(client.chat.startStream({ channel: channel('dm-ada'), thread_ts: dm }))).toBe(
      'none',
    );
  });

  test('refuses what exceeds 12,000 characters in all and stays open as it was', async () => {
    const { client, begin, answer } = await withThread();
    const message = await begin('x'.repeat(11_000));
    const tooMuch = client.chat.appendStream({ ...message, markdown_text: 'y'.repeat(1001) });
    expect(await errorOf(tooMuch)).toBe('msg_too_long');
    const fits = client.chat.appendStream({ ...message, markdown_text: 'y'.repeat(1000) });
    expect(await errorOf(fits)).toBe('none');
    expect(await errorOf(client.chat.stopStream({ ...message, markdown_text: 'z' }))).toBe('msg_too_long');
    expect(answer()).toMatchObject({ streaming: true });
    expect(answer()!.text).toHaveLength(12_000);
  });

  test('dies of age, can then be edited, and can be stopped only once', async () => {
    const { client, begin, answer } = await withThread({ streamMaxAgeMs: 0 });
    const message = await begin('A tide');
    const dead = 'message_not_in_streaming_state';
    expect(await errorOf(client.chat.appendStream({ ...message, markdown_text: '.' }))).toBe(dead);
    expect(await errorOf(client.chat.stopStream(message))).toBe(dead);
    await client.chat.update({ ...message, text: 'A tide.' });
    expect(answer()).toMatchObject({ text: 'A tide.', edited: true, streaming: false });
  });

  test('cannot be edited while it streams, nor stopped twice', async () => {
    const { client, begin } = await withThread();
    const message = await begin('A tide');
    expect(await errorOf(client.chat.update({ ...message, text: 'no' }))).toBe('streaming_state_conflict');
    expect(await errorOf(client.chat.stopStream(message))).toBe('none');
    expect(await errorOf(client.chat.stopStream(message))).toBe('message_not_in_streaming_state');
    expect(await errorOf(client.chat.stopStream({ ...message, ts: '1.000001' }))).toBe('message_not_found');
  });

  test('shows tasks, and refuses chunks it does not know', async () => {
    const { client, begin, answer } = await withThread();
    const message = await begin();
    const task = { type: 'task_update', id: 's', title: 'Searching', status: 'in_progress' } as const;
    await client.chat.appendStream({ ...message, chunks: [task] });
    await client.chat.appendStream({ ...message, chunks: [{ ...task, status: 'complete' }] });
    expect(answer()!.tasks).toEqual([{ id: 's', title: 'Searching', status: 'complete', sources: [] }]);
    const odd = client.chat.appendStream({ ...message, chunks: [{ type: 'image' } as never] });
    expect(await errorOf(odd)).toBe('invalid_chunks');
  });

  test('shows the sources of a task, and takes no other shapes of them', async () => {
    const { client, begin, answer } = await withThread();
    const message = await begin('A tide ');
    const task = { type: 'task_update', id: 's', title: 'Searched', status: 'complete' } as const;
    const source = { type: 'url', url: 'https://sea.example/', text: 'The sea' } as const;
    const words = { type: 'markdown_text', text: 'rises.' } as const;
    await client.chat.appendStream({ ...message, chunks: [{ ...task, sources: [source] }, words] });
    expect(answer()).toMatchObject({
      text: 'A tide rises.',
      tasks: [{ title: 'Searched', sources: [{ url: 'https://sea.example/', text: 'The sea' }] }],
    });
    for (const wrong of [
      { ...task, sources: [{ ...source, title: 'x' }] },
      { ...task, sources: [{ ...source, url: 'sea.example' }] },
      { ...task, sources: ['https://sea.example/'] },
      { ...task, output: [source] },
      { ...task, status: 'done' },
      { ...task, links: [] },
    ]) {
      const refused = client.chat.appendStream({ ...message, chunks: [wrong as never] });
      expect(await errorOf(refused)).toBe('invalid_chunks');
    }
  });

  test('refuses a stop whose blocks make the message too long, and can then be stopped without them', async () => {
    const { client, begin, answer } = await withThread();
    const message = await begin('x'.repeat(11_000));
    const text = { type: 'mrkdwn' as const, text: 'y'.repeat(2500) };
    const blocks = [{ type: 'section' as const, text }];
    expect(await errorOf(client.chat.stopStream({ ...message, blocks }))).toBe('msg_blocks_too_long');
    expect(answer()!.streaming).toBe(true);
    expect(await errorOf(client.chat.stopStream(message))).toBe('none');
    expect(answer()).toMatchObject({ streaming: false, blocks: [] });
  });
});
