import { DiscordAPIError } from 'discord.js';
import { expect, test } from 'vitest';
import { channelId, connect, rest, startServer } from './setup.ts';

async function general() {
  const server = await startServer();
  const client = await connect(server);
  const channel = await client.channels.fetch(channelId(server, 'general'));
  if (!channel?.isSendable()) throw new Error('cannot send');
  const send = (text: string) =>
    channel.send({ content: 'A report', files: [{ attachment: Buffer.from(text), name: 'report.md' }] });
  return { server, send };
}

test('a file can be fetched from its address, by whoever has it', async () => {
  const { server, send } = await general();
  const message = await send('# Tower\n330 m');
  const file = message.attachments.first();
  expect(file).toMatchObject({ name: 'report.md', size: 13 });
  const served = await fetch(file?.url ?? '');
  expect([served.status, await served.text()]).toEqual([200, '# Tower\n330 m']);
  expect(server.calls.find(({ files }) => files.length > 0)?.files[0]?.field).toBe('files[0]');
});

test('files need their permission and may have 10 MiB; the words alone need neither', async () => {
  const { server, send } = await general();
  const codeOf = (sent: Promise<unknown>) =>
    sent.then(
      () => null,
      (error: unknown) => (error instanceof DiscordAPIError ? error.code : error),
    );
  expect(await codeOf(send('x'.repeat(10 * 1024 * 1024 + 1)))).toBe(40_005);
  server.deny('general', ['ATTACH_FILES']);
  expect(await codeOf(send('x'))).toBe(50_013);
  const path = `/channels/${channelId(server, 'general')}/messages`;
  expect((await rest(server, 'POST', path, { content: 'A report' })).status).toBe(200);
  expect(server.history('general').map(({ attachments }) => attachments.length)).toEqual([0]);
});

test('a file in a field of another name is refused', async () => {
  const { server } = await general();
  const form = new FormData();
  form.set('payload_json', JSON.stringify({ content: 'x' }));
  form.set('report', new Blob(['x']), 'report.md');
  const url = `${server.apiUrl}/v10/channels/${channelId(server, 'general')}/messages`;
  const headers = { authorization: `Bot ${server.token}` };
  const answer = await fetch(url, { method: 'POST', headers, body: form });
  expect([answer.status, await answer.json()]).toMatchObject([400, { code: 50_035 }]);
});

test('a file goes only where its message goes: once with an enforced nonce', async () => {
  const { server } = await general();
  const post = async () => {
    const form = new FormData();
    form.set('payload_json', JSON.stringify({ content: 'x', nonce: 'n1', enforce_nonce: true }));
    form.set('files[0]', new Blob(['x']), 'report.md');
    const url = `${server.apiUrl}/v10/channels/${channelId(server, 'general')}/messages`;
    const headers = { authorization: `Bot ${server.token}` };
    return (await (await fetch(url, { method: 'POST', headers, body: form })).json()) as { id: string };
  };
  expect(await post()).toEqual(await post());
  expect(server.history('general')).toHaveLength(1);
});
