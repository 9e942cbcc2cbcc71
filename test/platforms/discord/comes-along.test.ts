/** What comes along with a question and what the model, the asker and the database get of it. */
import { afterEach, expect, test, vi } from 'vitest';
import { answerOf, channelId, createTown, mention, promptModel, written } from './setup.ts';

const town = createTown();
afterEach(() => town.end());

/** Footnote with a model that remembers what it was told. */
async function start() {
  const server = await town.server();
  const model = promptModel(() => answerOf('An answer.'));
  const footnote = await town.footnote(server, { model });
  const told = async (requests = 1): Promise<string> => {
    await vi.waitFor(() => expect(model.requests).toHaveLength(requests), 5_000);
    return JSON.stringify(model.requests.at(-1)?.messages);
  };
  return { server, footnote, told };
}

test('files are named', async () => {
  const { server, told } = await start();
  server.say({
    user: 'ada',
    channel: 'general',
    content: mention(server, 'What is this?'),
    attachments: [{ filename: 'tower plan.pdf', contentType: 'application/pdf', size: 2_048 }],
  });
  expect(await told()).toContain('tower plan.pdf');
});

test('a forward is quoted, with its files, and so is what a reply is to', async () => {
  const { server, told } = await start();
  const said = server.say({
    user: 'grace',
    channel: 'random',
    content: 'The tower is 330 m',
    attachments: [{ filename: 'map.png', contentType: 'image/png', size: 9 }],
  });
  server.say({ user: 'ada', channel: '@ada', content: '', forwardOf: said });
  const forwarded = await told();
  expect(forwarded).toContain('The tower is 330 m');
  expect(forwarded).toContain('map.png');

  const claim = server.say({ user: 'grace', channel: 'general', content: 'It was built in 1889' });
  server.say({ user: 'ada', channel: 'general', content: mention(server, 'true?'), replyTo: claim });
  expect(await told(2)).toContain('It was built in 1889');
});

test('mark-up reads as words, and the mention of the bot in front is left out', async () => {
  const { server, footnote, told } = await start();
  server.nickname('grace', 'Admiral');
  const grace = server.people.find(({ username }) => username === 'grace')?.id ?? '';
  const general = channelId(server, 'general');
  const content = `ask <@${grace}> in <#${general}> about a < b & c at <t:0:F> <a:wave:100000000000000001>`;
  server.say({ user: 'ada', channel: 'general', content: mention(server, content) });
  expect(await told()).toContain('ask @Admiral in #');
  expect(footnote.heard[0]?.question.text).toMatch(
    /^ask @Admiral in #\S+ about a < b & c at 1970-01-01 00:00 :wave:$/,
  );
});

test('the name the server has for a person goes before their own', async () => {
  const { server, footnote, told } = await start();
  server.nickname('ada', 'Countess');
  server.say({ user: 'ada', channel: 'general', content: mention(server, 'Who am I?') });
  await told();
  expect(footnote.heard[0]?.question.asker.name).toBe('Countess');
});

test('what a database refuses to store is left out of the text, of quotes, names and files', async () => {
  const { server, footnote, told } = await start();
  server.nickname('ada', 'A\u0000da \ud800');
  const claim = server.say({ user: 'grace', channel: 'general', content: 'tall\u0000er \udc00' });
  server.say({
    user: 'ada',
    channel: 'general',
    content: mention(server, 'a\u0000b \ud800'),
    replyTo: claim,
    attachments: [{ filename: 'a\u0000.txt', size: 1 }],
  });
  await told();
  const { question } = footnote.heard[0]!;
  expect(question.text).toBe('ab \ufffd');
  expect(question.quotes[0]?.text).toBe('taller \ufffd');
  expect(question.asker.name).toBe('Ada \ufffd');
  expect(question.attachments[0]?.name).toBe('a.txt');
  const asked = question.message?.message ?? '';
  await vi.waitFor(() => expect(written(server, asked)[0]?.content).toContain('Tower facts'), 5_000);
});
