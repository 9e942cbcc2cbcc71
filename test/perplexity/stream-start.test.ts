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

test('white space before a cut is no text: another try will do', async () => {
  expect((await ask('text/event-stream', event('\n\n'))).failure?.kind).toBe('unreachable');
});
