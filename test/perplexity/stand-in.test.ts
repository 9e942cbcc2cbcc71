import { assert, nat, property } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { longAnswer } from '../servers/perplexity/long-answer.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';

let server: PerplexityServer;
beforeAll(async () => {
  server = await startPerplexityServer();
});
afterAll(() => server.close());

const USER = { role: 'user', content: 'How are the tides?' };

async function post(path: string, body: object): Promise<{ status: number; text: string }> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

/** The events of a stream; `[DONE]` stays a string. */
function eventsIn(stream: string): Record<string, unknown>[] {
  return stream
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)) as Record<string, unknown>); // Frames of our own making.
}

test('the stand-in answers from a report that stands above', async () => {
  const report =
    '## Summary\n\n- The sea is wide [1].\n- Tides are on time [2].\n\n# Report\n\nMore on waves [3].';
  const ask = async (question: string): Promise<string> => {
    const messages = [USER, { role: 'assistant', content: report }, { role: 'user', content: question }];
    return (await post('/chat/completions', { model: 'sonar', messages })).text;
  };
  expect(await ask('When are tides, says the report?')).toContain(
    'The report above says: “Tides are on time [2].”',
  );
  expect(await ask('Does the report know of waves?')).toContain('“More on waves [3].”');
  expect(await ask('When are tides?')).not.toContain('The report above');
});

describe('the stand-in refuses', () => {
  const chat = (rest: object): object => ({ model: 'sonar', messages: [USER], ...rest });
  const agent = (rest: object): object => ({ model: 'perplexity/sonar', input: 'Hello', ...rest });
  const ASSISTANT = { role: 'assistant', content: 'High.' };
  const CASES: readonly (readonly [string, string, object, RegExp])[] = [
    [
      'an unknown field',
      '/chat/completions',
      chat({ max_search_results: 3 }),
      /unknown field.*max_search_results/,
    ],
    [
      'a filter in the wrong place',
      '/v1/sonar',
      chat({ web_search_options: { search_recency_filter: 'week' } }),
      /unknown field/,
    ],
    ['an unknown model', '/chat/completions', chat({ model: 'sonar-reasoning' }), /invalid_model/],
    ['two users in a row', '/chat/completions', chat({ messages: [USER, USER] }), /should be alternating/],
    [
      'an assistant first',
      '/chat/completions',
      chat({ messages: [ASSISTANT, USER] }),
      /should be alternating/,
    ],
    ['an assistant last', '/chat/completions', chat({ messages: [USER, ASSISTANT] }), /Last message/],
    ['no question at all', '/chat/completions', chat({ messages: [{ role: 'system', content: 'x' }] }), /./],
    ['a penalty', '/v1/responses', agent({ presence_penalty: 1 }), /unknown field.*presence_penalty/],
    ['a bare model name', '/v1/agent', agent({ model: 'sonar-pro' }), /not supported/],
    ['a model and a preset', '/v1/agent', agent({ preset: 'low' }), /exactly one/],
    ['an unknown filter', '/v1/agent', agent({ tools: [{ type: 'web_search', recency: 'day' }] }), /./],
  ];

  test.for(CASES)('%s', async ([, path, body, message]) => {
    const { status, text } = await post(path, body);
    expect(status).toBe(400);
    expect(text).toMatch(message);
  });
});

describe('the stand-in answers', () => {
  test('a chat completion as one object when no stream is asked for', async () => {
    const { text } = await post('/v1/chat/completions', { model: 'sonar', messages: [USER] });
    expect(JSON.parse(text)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { content: expect.stringContaining('[1]') }, finish_reason: 'stop' }],
      citations: expect.arrayContaining([expect.stringContaining('https://')]),
    });
  });

  test('an Agent run as one object when no stream is asked for', async () => {
    const { text } = await post('/v1/agent', { preset: 'fast', input: 'How are the tides?' });
    expect(JSON.parse(text)).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [{ type: 'search_results' }, { type: 'message' }],
    });
  });

  test('citations and cumulative usage with every chunk of a full stream, and only at the end of a concise one', async () => {
    const body = { model: 'sonar', messages: [USER], stream: true };
    const full = eventsIn((await post('/chat/completions', body)).text);
    const concise = eventsIn((await post('/chat/completions', { ...body, stream_mode: 'concise' })).text);
    expect(full.every((event) => event['citations'] !== undefined && event['usage'] !== undefined)).toBe(
      true,
    );
    expect(concise.filter((event) => event['citations'] !== undefined)).toEqual([concise.at(-1)]);
    expect([full, concise].map((events) => events.at(-1)?.['object'])).toEqual([
      'chat.completion.done',
      'chat.completion.done',
    ]);
  });

  test('an Agent stream with events in sequence, sources before text and one terminal event', async () => {
    const body = {
      model: 'perplexity/sonar',
      input: 'How?',
      tools: [{ type: 'web_search' }],
      stream: true,
    };
    const { text } = await post('/v1/responses', body);
    expect(text).not.toMatch(/^event:|\[DONE\]/m);
    const events = eventsIn(text);
    expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_, index) => index));
    const types = events.map((event) => event['type']);
    expect(types.indexOf('response.reasoning.search_results')).toBeLessThan(
      types.indexOf('response.output_text.delta'),
    );
    expect(types.filter((type) => type === 'response.completed')).toHaveLength(1);
    expect(types.at(-1)).toBe('response.completed');
  });

  test('nothing from the web when an Agent run has no search tool', async () => {
    const { text } = await post('/v1/responses', { model: 'perplexity/sonar', input: 'How?', stream: true });
    expect(text).not.toContain('search_results');
  });

  test('long answers of exactly the length asked for, with every fence closed', () => {
    assert(
      property(nat(12_000), (length) => {
        const answer = longAnswer(length);
        expect(answer).toHaveLength(length);
        expect((answer.match(/^```/gm) ?? []).length % 2).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
