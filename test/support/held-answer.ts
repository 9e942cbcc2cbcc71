import type { PerplexityServer } from '../servers/perplexity/server.ts';

const FIRST = 'The beginning of an answer that goes on when the test says so, ';
const LAST = 'and here it ends.';

/** Has the next answer stop in its middle, for as long as the test needs; returns how to complete it. */
export function holdNextAnswer(perplexity: PerplexityServer): () => void {
  let complete = (): void => undefined;
  perplexity.fault((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event({ content: FIRST }, null));
    complete = () => response.end(`${event({ content: LAST }, 'stop')}data: [DONE]\n\n`);
  });
  return () => complete();
}

function event(delta: object, finish: 'stop' | null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'held', object: 'chat.completion.chunk', model: 'sonar', choices })}\n\n`;
}
