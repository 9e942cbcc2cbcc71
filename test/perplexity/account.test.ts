import { expect, onTestFinished, test } from 'vitest';
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { createSilentLog } from './silent-log.ts';

async function setup(
  api: 'auto' | 'chat' | 'agent',
  change: { readonly apiKey?: string; readonly baseUrl?: string } = {},
) {
  const server = await startPerplexityServer();
  onTestFinished(() => server.close());
  const { log, warnings, errors } = createSilentLog();
  const { apiKey, url: baseUrl } = server;
  const { model, account } = createPerplexity({ apiKey, baseUrl, api, log, ...change });
  return { server, account, warnings, errors, ask: () => outcomeOf(model, question('How are the tides?')) };
}

const APIS = ['chat', 'agent'] as const;
const atOnce = async (): Promise<void> => {};

test('the check counts as a request of the key, and waits until it may be made', async () => {
  const { server, account } = await setup('chat');
  const admitted: string[] = [];
  await account.check(async (kind) => void admitted.push(`${kind} before ${server.keyChecks.length + 1}`));
  expect(admitted).toEqual(['agent before 1']);
  expect(server.keyChecks).toHaveLength(1);
});

test.for(APIS)('a key that is accepted costs one call that is not billed (%s)', async (api) => {
  const { server, account, warnings, errors } = await setup(api);
  await account.check(atOnce);
  expect(server.keyChecks.map(({ method, path, status }) => [method, path, status])).toEqual([
    ['GET', '/v1/models', 200],
  ]);
  expect(server.requests).toEqual([]);
  expect([...account.refusals(), ...warnings, ...errors]).toEqual([]);
});

test('a refused key is told once by the check, with the remedy', async () => {
  const { account, errors } = await setup('auto', { apiKey: 'pplx-wrong' });
  await account.check(atOnce);
  expect(account.refusals()).toEqual([
    'Perplexity refuses to answer (401): PERPLEXITY_API_KEY is not accepted by Perplexity',
  ]);
  expect(errors).toEqual(account.refusals());
});

test.for([
  ['401', /PERPLEXITY_API_KEY is not accepted/],
  ['402', /\(402\): the Perplexity account needs credit/],
  ['403', /PERPLEXITY_API_KEY is not allowed/],
] as const)('%s to a question is noted, until one is answered', async ([state, reason]) => {
  for (const api of APIS) {
    const { server, account, errors, ask } = await setup(api);
    server.setAccount(state);
    await ask();
    await ask();
    expect(account.refusals()).toEqual([expect.stringMatching(reason)]);
    expect(errors).toEqual([...account.refusals(), ...account.refusals()]);
    server.setAccount(null);
    expect((await ask()).failure).toBeNull();
    expect(account.refusals()).toEqual([]);
  }
});

test('no credit in the words of a rate limit is noted, too', async () => {
  const { server, account, ask } = await setup('chat');
  server.fault((response) => {
    const error = { message: 'You exceeded your current quota.', code: 'insufficient_quota' };
    response.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  });
  await ask();
  expect(account.refusals()).toEqual([expect.stringMatching(/needs credit/)]);
});

test('that one API is retired counts only for who may ask no other', async () => {
  for (const [api, count] of [
    ['auto', 0],
    ['chat', 1],
  ] as const) {
    const { server, account, ask } = await setup(api);
    server.setApi('agent-only');
    await ask();
    expect(account.refusals()).toHaveLength(count);
  }
});

test('a gateway without a list of models says nothing by that', async () => {
  const { url, apiKey } = (await setup('chat')).server;
  const gateway = { baseUrl: `${url}/elsewhere`, apiKey };
  const { account, warnings, errors } = await setup('chat', gateway);
  await account.check(atOnce);
  expect([...account.refusals(), ...warnings, ...errors]).toEqual([]);
});

test('an address that nothing answers at is warned of', async () => {
  const gone = await startPerplexityServer();
  await gone.close();
  const { account, warnings } = await setup('auto', { baseUrl: gone.url });
  await account.check(atOnce);
  expect(account.refusals()).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
});
