import type { WebClient } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { errorOf, post, startStandIn } from './setup.ts';

const TEXT = '# Ein Bericht\n\nÜber alles.\n';
const LENGTH = Buffer.byteLength(TEXT);

/** Announces a file, sends it, completes it without a channel; returns its id and permalink. */
async function upload(client: WebClient, name = 'report.md') {
  const { upload_url: url = '', file_id: id = '' } = await client.files.getUploadURLExternal({
    filename: name,
    length: LENGTH,
  });
  const sent = await fetch(url, { method: 'POST', body: TEXT });
  expect([sent.status, await sent.text()]).toEqual([200, `OK - ${LENGTH}`]);
  const { files = [] } = await client.files.completeUploadExternal({ files: [{ id, title: 'A report' }] });
  return { id, permalink: files[0]?.permalink ?? '', answered: files[0] };
}

const linking = (permalink: string) => ({
  text: `Here: <${permalink}|report.md>`,
  blocks: [{ type: 'context', elements: [{ type: 'mrkdwn', text: `<${permalink}|report.md>` }] }],
});

describe('uploading', () => {
  test('leaves a file private, with its address but without type and shares', async () => {
    const { slack, client, channel } = await startStandIn();
    const { id, answered } = await upload(client);
    expect(answered).toMatchObject({ id, title: 'A report', name: 'report.md', mimetype: '', channels: [] });
    expect(slack.history(channel('general'))).toEqual([]);
    const { file } = await client.files.info({ file: id });
    expect(file).toMatchObject({ id, mimetype: 'text/markdown', size: LENGTH, channels: [] });
  });

  test("is what the SDK's own helper does, into a thread", async () => {
    const { slack, client, channel, person } = await startStandIn();
    const where = { channel: channel('general') };
    const root = slack.say({ ...where, user: person('ada'), text: 'a report please' });
    await client.filesUploadV2({
      channel_id: where.channel,
      thread_ts: root,
      filename: 'report.md',
      file: Buffer.from(TEXT),
      initial_comment: 'Here it is',
    });
    expect(slack.history(where.channel).at(-1)).toMatchObject({
      text: 'Here it is',
      threadTs: root,
      metadata: null,
      files: [{ name: 'report.md', content: TEXT, size: LENGTH }],
    });
  });

  test('refuses what was not announced, not sent, or is too short', async () => {
    const { slack, client, channel } = await startStandIn();
    const notifyAsker = () => client.files.getUploadURLExternal({ filename: 'a.md', length: LENGTH });
    expect(await errorOf(client.files.getUploadURLExternal({ filename: 'a.md', length: 0 }))).toBe(
      'missing_argument',
    );
    const { file_id: id = '', upload_url: url = '' } = await notifyAsker();
    const complete = (fields: object) =>
      errorOf(client.apiCall('files.completeUploadExternal', { files: [{ id }], ...fields }));
    expect(await complete({})).toBe('file_not_found');
    expect((await fetch(url, { method: 'POST', body: 'short' })).status).toBe(400);
    expect((await fetch(`${url}x`, { method: 'POST', body: TEXT })).status).toBe(400);
    await fetch(url, { method: 'POST', body: TEXT });
    expect(await complete({ files: [] })).toBe('invalid_arguments');
    expect(await complete({ channel_id: 'C0NOWHERE' })).toBe('channel_not_found');
    expect(await complete({ channel_id: channel('without-bot') })).toBe('not_in_channel');
    expect(await complete({ channel_id: channel('old-news') })).toBe('posting_to_channel_denied');
    const markdown = [{ type: 'markdown', text: 'x' }];
    expect(await complete({ channel_id: channel('general'), blocks: markdown })).toBe('internal_error');
    expect(await complete({})).toBe('none');
    expect(slack.calls.filter(({ method }) => method === 'upload_url').map(({ status }) => status)).toEqual([
      400, 400, 200,
    ]);
  });

  test('takes injected faults at each of its three steps', async () => {
    const { slack, client } = await startStandIn();
    slack.fault('files.getUploadURLExternal', { error: 'file_uploads_disabled' });
    expect(await errorOf(upload(client))).toBe('file_uploads_disabled');
    slack.fault('upload_url', { status: 503 });
    await expect(upload(client)).rejects.toThrow();
    slack.fault('files.completeUploadExternal', 'commit-then-reset');
    expect(await errorOf(upload(client))).toBe('slack_webapi_request_error');
  });
});

describe('a link to a private file', () => {
  test('shares it with the message of its owner, once', async () => {
    const { slack, client, channel } = await startStandIn();
    const { id, permalink } = await upload(client);
    await post(client, { channel: channel('general'), ...linking(permalink) });
    await post(client, { channel: channel('random'), text: 'another' });
    const [message] = slack.history(channel('general'));
    expect(message?.files).toMatchObject([{ id, name: 'report.md', content: TEXT }]);
    expect(slack.history(channel('random'))[0]?.files).toEqual([]);
    expect((await client.files.info({ file: id })).file?.channels).toEqual([channel('general')]);
  });

  test.each<[string, (permalink: string) => object]>([
    ['under another name', (link) => ({ ...linking(link), username: 'Somebody' })],
    ['without previews', (link) => ({ ...linking(link), unfurl_media: false })],
    ['in the blocks alone', (link) => ({ ...linking(link), text: 'Here' })],
    ['in Markdown', (link) => ({ markdown_text: `[report](${link})` })],
  ])('does not share it %s', async (_how, args) => {
    const { slack, client, channel } = await startStandIn();
    const { permalink } = await upload(client);
    await post(client, { channel: channel('general'), ...args(permalink) });
    expect(slack.history(channel('general'))[0]?.files).toEqual([]);
  });
});

test('a token without a scope is told so, per method and kind of conversation', async () => {
  const { slack, client, channel } = await startStandIn({ scopes: ['chat:write', 'im:history'] });
  expect(await errorOf(upload(client))).toBe('missing_scope');
  const ts = await post(client, { channel: channel('general'), text: 'hi' });
  const read = (where: string) => errorOf(client.conversations.history({ channel: where }));
  expect(await read(channel('general'))).toBe('missing_scope');
  expect(await read('D000000ADA')).toBe('none');
  const link = await client.chat.getPermalink({ channel: channel('general'), message_ts: ts });
  expect(link.permalink).toMatch(/\/archives\/C00GENERAL\/p\d{16}$/);
  const reply = await post(client, { channel: channel('general'), text: 'more', thread_ts: ts });
  const inThread = await client.chat.getPermalink({ channel: channel('general'), message_ts: reply });
  expect(inThread.permalink).toContain(`?thread_ts=${ts}&cid=C00GENERAL`);
  expect(slack.calls.at(-1)?.result).toBe('ok');
});
