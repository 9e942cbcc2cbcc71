import { expect, onTestFinished, test } from 'vitest';
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

/** Answers one question with this content type and body, over the chat API. */
async function ask(contentType: string, body: string) {
  const server = await startPerplexityServer();
  onTestFinished(() => server.close());
  server.fault((response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.end(body);
  });
  const { log } = createSilentLog();
  const { model } = createPerplexity({ apiKey: server.apiKey, baseUrl: server.url, api: 'chat', log });
  return outcomeOf(model, question('How are the tides?'));
}

function event(content: string, finish: string | null = null): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
}

const ALL = [
  { type: 'text', text: 'High ' },
  { type: 'text', text: 'and low.' },
  { type: 'done', reason: 'complete' },
];

test('a byte order mark before the first event hides nothing of it', async () => {
  const body = `\uFEFF${event('High ')}${event('and low.', 'stop')}data: [DONE]\n\n`;
  expect(await ask('text/event-stream', body)).toMatchObject({ failure: null, events: ALL });
});

test('a content type is a content type in capitals too', async () => {
  const body = `${event('High ')}${event('and low.', 'stop')}data: [DONE]\n\n`;
  expect(await ask('Text/Event-Stream; Charset=UTF-8', body)).toMatchObject({ failure: null, events: ALL });
});

test.each([
  ['nothing', ''],
  ['one line end', '\n'],
])('an event that %s follows is read at the end of the stream', async (_what, end) => {
  const last = event('and low.', 'stop').trimEnd();
  expect(await ask('text/event-stream', `${event('High ')}${last}${end}`)).toMatchObject({
    failure: null,
    events: ALL,
  });
  const done = `${event('High ')}${event('and low.')}data: [DONE]${end}`;
  expect(await ask('text/event-stream', done)).toMatchObject({ failure: null, events: ALL });
});

test('an event that is cut within its data is no end', async () => {
  const cut = event('and low.', 'stop').trimEnd().slice(0, -3);
  const outcome = await ask('text/event-stream', `${event('High ')}${cut}`);
  expect([outcome.failure?.kind, outcome.text]).toEqual(['cut-off', 'High ']);
});

test('what the length limit cuts off while it thinks is explained', async () => {
  const body = `${event('<think>First, the')}${event(' moon', 'length')}data: [DONE]\n\n`;
  const { failure } = await ask('text/event-stream', body);
  expect(failure?.remedy).toMatch(/used up by thinking.*MAX_TOKENS/);
});

test.each([
  [
    'a gateway',
    [{ type: 'url_citation', url_citation: { url: 'https://a.example/', title: 'A', content: 'x' } }],
  ],
  [
    'the Responses API',
    [{ type: 'url_citation', url: 'https://a.example/', title: 'A' }, { type: 'file_citation' }],
  ],
])('annotations as %s writes them are sources', async (_who, annotations) => {
  const delta = { content: 'High.', annotations };
  const body = `data: ${JSON.stringify({ choices: [{ delta, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;
  const { sources } = await ask('text/event-stream', body);
  expect(sources).toMatchObject([{ number: 1, url: 'https://a.example/', title: 'A' }]);
});

test.each(['max_tokens', 'MAX_TOKENS', 'model_length'])('a finish of %s is the length', async (finish) => {
  const { events } = await ask('text/event-stream', event('Half of', finish));
  expect(events.at(-1)).toEqual({ type: 'done', reason: 'length' });
});

test('the end of the connection alone is a cut', async () => {
  expect((await ask('text/event-stream', event('Half of'))).failure?.kind).toBe('cut-off');
});

test('white space before a cut is no text: another try will do', async () => {
  expect((await ask('text/event-stream', event('\n\n'))).failure?.kind).toBe('unreachable');
});
