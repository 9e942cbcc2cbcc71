import { describe, expect, test } from 'vitest';
import { errorOf, post, startStandIn } from './setup.ts';

const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
const button = (text: string, value: string) => ({
  type: 'actions',
  elements: [{ type: 'button', action_id: 'a', text: { type: 'plain_text', text }, value }],
});

describe('chat.postMessage', () => {
  test('posts, replies, and shows Markdown, blocks or text as a person reads them', async () => {
    const { slack, client, channel } = await startStandIn();
    const where = { channel: channel('general'), unfurl_links: false, unfurl_media: false };
    const root = await post(client, { ...where, markdown_text: '**A tide** [1](https://a.example)' });
    await post(client, {
      ...where,
      thread_ts: root,
      text: 'fallback',
      blocks: [section('below'), button('Retry', 'q')],
    });
    await post(client, { channel: channel('general'), thread_ts: root, text: 'previews' });
    expect(slack.history(channel('general'))).toMatchObject([
      { ts: root, bot: true, text: '**A tide** [1](https://a.example)', threadTs: null, unfurls: false },
      { text: 'below\n[Retry]', fallback: 'fallback', threadTs: root, unfurls: false },
      { text: 'previews', unfurls: true },
    ]);
  });

  test.each<[string, string, Record<string, unknown>]>([
    ['no text at all', 'no_text', {}],
    ['Markdown beside text', 'markdown_text_conflict', { markdown_text: 'a', text: 'b' }],
    ['Markdown over 12,000', 'msg_too_long', { markdown_text: 'x'.repeat(12_001) }],
    ['an unknown argument', 'invalid_arguments', { text: 'a', unfurl: false }],
    ['an argument of the wrong type', 'invalid_arguments', { text: 'a', unfurl_links: 'no' }],
    ['an unknown thread', 'thread_not_found', { text: 'a', thread_ts: '1.000001' }],
    ['metadata without a payload', 'invalid_metadata_format', { text: 'a', metadata: { event_type: 'x' } }],
    ['blocks that are none', 'invalid_blocks_format', { blocks: 'nonsense' }],
    ['51 blocks', 'invalid_blocks', { blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) }],
    ['a section over 3,000', 'invalid_blocks', { blocks: [section('x'.repeat(3001))] }],
    ['a button label over 75', 'invalid_blocks', { blocks: [button('x'.repeat(76), 'v')] }],
    ['a button value over 2,000', 'invalid_blocks', { blocks: [button('x', 'v'.repeat(2001))] }],
    [
      'markdown blocks over 12,000 in all',
      'msg_blocks_too_long',
      {
        blocks: ['x', 'y'].map((letter) => ({ type: 'markdown', text: letter.repeat(6001) })),
      },
    ],
    ['an unknown channel', 'channel_not_found', { text: 'a', channel: 'C0NOWHERE' }],
    ['an archived channel', 'is_archived', { text: 'a', channel: 'C0ARCHIVED' }],
    ['a channel without the bot', 'not_in_channel', { text: 'a', channel: 'C00PRIVATE' }],
  ])('refuses %s', async (_what, code, args) => {
    const { slack, client, channel } = await startStandIn();
    expect(await errorOf(post(client, { channel: channel('general'), ...args }))).toBe(code);
    expect(slack.history(channel('general'))).toEqual([]);
    expect(slack.calls.at(-1)).toMatchObject({ method: 'chat.postMessage', result: code, status: 200 });
  });

  test('cuts text at 40,000', async () => {
    const { slack, client, channel } = await startStandIn();
    await post(client, { channel: channel('general'), text: 'x'.repeat(40_001) });
    expect(slack.history(channel('general'))[0]!.text).toHaveLength(40_000);
  });

  test('records what it was sent, decoded', async () => {
    const { slack, client, channel } = await startStandIn();
    const blocks = [section('a')];
    await post(client, { channel: channel('general'), text: 'a', blocks, unfurl_links: false });
    expect(slack.calls).toMatchObject([
      {
        method: 'chat.postMessage',
        args: { channel: channel('general'), text: 'a', blocks, unfurl_links: false },
        token: slack.botToken,
        result: 'ok',
        status: 200,
        insideRetryAfter: false,
      },
    ]);
  });
});

describe('chat.update and chat.delete', () => {
  test('change only own messages, and text only up to 4,000', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    const own = {
      ...where,
      ts: await post(client, { ...where, text: 'draft', metadata: { event_type: 'e', event_payload: {} } }),
    };
    const theirs = { ...where, ts: slack.say({ ...where, user: person('ada'), text: 'mine' }) };
    expect(await errorOf(client.chat.update({ ...theirs, text: 'no' }))).toBe('cant_update_message');
    expect(await errorOf(client.chat.delete(theirs))).toBe('cant_delete_message');
    expect(await errorOf(client.chat.update({ ...own, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    await client.chat.update({ ...own, markdown_text: 'x'.repeat(12_000) });
    await client.chat.update({ ...own, text: 'final', parse: 'none', link_names: false });
    expect(slack.history(channel('general'))[0]).toMatchObject({
      text: 'final',
      edited: true,
      metadata: { event_type: 'e' },
    });
    await client.chat.delete(own);
    expect(await errorOf(client.chat.update({ ...own, text: 'late' }))).toBe('message_not_found');
    expect(slack.history(channel('general')).map((message) => message.text)).toEqual(['mine']);
  });
});

describe('reading', () => {
  test('replies come oldest first, in pages, with metadata only when asked', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    const ts = slack.say({ ...where, user: person('ada'), text: 'root' });
    const metadata = { event_type: 'footnote_reply', event_payload: { part: 0 } };
    for (const text of ['one', 'two', 'three'])
      await post(client, { ...where, thread_ts: ts, text, metadata });
    const first = await client.conversations.replies({ ...where, ts, limit: 3 });
    expect(first.messages?.map((message) => message.text)).toEqual(['root', 'one', 'two']);
    expect(first.messages?.[1]).not.toHaveProperty('metadata');
    const next = { cursor: first.response_metadata!.next_cursor!, include_all_metadata: true };
    const second = await client.conversations.replies({ ...where, ts, limit: 3, ...next });
    expect(second).toMatchObject({
      has_more: false,
      messages: [{ text: 'three', metadata, bot_id: slack.botId }],
    });
    const { messages } = await client.conversations.history({ ...where });
    expect(messages).toMatchObject([{ text: 'root', reply_count: 3, thread_ts: ts }]);
    expect(await errorOf(client.conversations.replies({ ...where, ts: '1.000001' }))).toBe(
      'thread_not_found',
    );
  });

  test('people, channels and DMs can be looked up', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const { user } = await client.users.info({ user: person('otto') });
    expect(user).toMatchObject({
      name: 'otto',
      team_id: slack.people.find((one) => one.name === 'otto')!.team,
    });
    const opened = await client.conversations.open({ users: person('ada') });
    expect(opened.channel?.id).toBe(channel('dm-ada'));
    const info = await client.conversations.info({ channel: channel('partners') });
    expect(info.channel).toMatchObject({ name: 'partners', is_ext_shared: true, is_member: true });
    expect(await errorOf(client.users.info({ user: 'U0NOBODY00' }))).toBe('user_not_found');
  });
});

describe('marks', () => {
  test('a reaction can be added once and removed once', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const timestamp = slack.say({ channel: channel('general'), user: person('ada'), text: 'hi' });
    const mark = { channel: channel('general'), timestamp, name: 'eyes' };
    await client.reactions.add(mark);
    expect(slack.history(mark.channel)[0]!.reactions).toEqual([{ name: 'eyes', users: [slack.botUser] }]);
    expect(await errorOf(client.reactions.add(mark))).toBe('already_reacted');
    await client.reactions.remove(mark);
    expect(await errorOf(client.reactions.remove(mark))).toBe('no_reaction');
  });

  test('a status stands under its thread until the bot writes there', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    const root = slack.say({ ...where, user: person('ada'), text: 'hi' });
    const status = { channel_id: where.channel, thread_ts: root, status: 'is searching…' };
    await client.assistant.threads.setStatus({ ...status, loading_messages: ['one', 'two'] });
    expect(slack.status(where.channel, root)).toBe('is searching…');
    await post(client, { ...where, thread_ts: root, text: 'found' });
    expect(slack.status(where.channel, root)).toBe('');
    expect(slack.statuses).toMatchObject([
      { threadTs: root, status: 'is searching…', loadingMessages: ['one', 'two'] },
    ]);
    const unknown = client.agents.sessions.setStatus({
      channel_id: where.channel,
      thread_ts: root,
      status: 'busy',
    });
    expect(await errorOf(unknown)).toBe('invalid_status');
  });

  test('an ephemeral message reaches one member and nobody else', async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    await client.chat.postEphemeral({ ...where, user: person('ada'), text: 'only you' });
    expect(slack.ephemerals).toMatchObject([
      { ...where, user: person('ada'), text: 'only you', from: 'bot' },
    ]);
    expect(slack.history(where.channel)).toEqual([]);
    const outside = client.chat.postEphemeral({ ...where, user: person('otto'), text: 'no' });
    expect(await errorOf(outside)).toBe('user_not_in_channel');
  });
});
