import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { translateRequestError } from '../../src/perplexity/errors.ts';

/** What becomes of an error of Node's fetch, by way of the client. */
async function translate(code: string, message: string): Promise<unknown> {
  const cause = Object.assign(new Error(message), { code });
  const fetch = () => Promise.reject(new TypeError('fetch failed', { cause }));
  const client = new OpenAI({
    apiKey: 'key',
    baseURL: 'http://127.0.0.1',
    maxRetries: 0,
    logLevel: 'off',
    fetch,
  });
  return client.get('/').then(() => expect.fail('answered'), translateRequestError);
}

test('a connection that could not be made in time has carried no request', async () => {
  // openai takes it for a request that was not answered in time.
  const failure = await translate('UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error');
  expect(failure).toMatchObject({ kind: 'unreachable', ambiguous: false });
});

test('a request that was not answered in time may have been carried out', async () => {
  const failure = await translate('UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error');
  expect(failure).toMatchObject({ kind: 'too-slow', ambiguous: true });
});

test('a fault of ours is not taken for one of the other side', () => {
  const error = new TypeError('undefined is not a function');
  expect(translateRequestError(error)).toBe(error);
});
