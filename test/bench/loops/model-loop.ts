/** What every baseline does with the model: the `openai` client as its documentation shows it. */
import OpenAI from 'openai';

export function createClient(url: string): OpenAI {
  return new OpenAI({ apiKey: 'bench', baseURL: url, maxRetries: 0, timeout: 600_000 });
}

/** Streams an answer; `grown` is called with the text so far after every token. */
export async function streamText(
  client: OpenAI,
  question: string,
  grown: (text: string) => void,
): Promise<string> {
  const body = {
    model: 'sonar',
    messages: [{ role: 'user' as const, content: question }],
    stream: true as const,
    // The baseline gets the cheap mode too: the comparison is about what is done with the stream.
    stream_mode: 'concise' as const,
  };
  let text = '';
  for await (const chunk of await client.chat.completions.create(body)) {
    const piece = chunk.choices[0]?.delta.content ?? '';
    if (piece === '') continue;
    text += piece;
    grown(text);
  }
  return text;
}
