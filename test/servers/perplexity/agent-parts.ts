import { tokens } from './exchange.ts';
import type { AgentRequest } from './schema.ts';
import type { Page } from './sources.ts';
import type { Said } from './topics.ts';

export function conversation(request: AgentRequest): readonly Said[] {
  if (typeof request.input === 'string') return [{ role: 'user', text: request.input }];
  return request.input
    .filter(({ role }) => role === 'user' || role === 'assistant')
    .map(({ role, content }) => ({ role, text: textOf(content) }));
}

function textOf(content: Exclude<AgentRequest['input'], string>[number]['content']): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => ('text' in part ? [part.text] : [])).join('\n');
}

export const QUERIES = ['tidal power first year', 'tidal cost 2026'];

export function usageOf(inputTokens: number, text: string, searched: boolean): object {
  const outputTokens = tokens(text);
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(searched ? { tool_calls_details: { search_web: { invocation: 1, cost_usd: 0.0025 } } } : {}),
    cost: {
      currency: 'USD',
      input_cost: (inputTokens * 0.25) / 1e6,
      output_cost: (outputTokens * 2.5) / 1e6,
      tool_calls_cost: searched ? 0.0025 : 0,
      total_cost: (inputTokens * 0.25 + outputTokens * 2.5) / 1e6 + (searched ? 0.0025 : 0),
    },
  };
}

export function searchResult(page: Page, index: number): object {
  return { id: index + 1, ...page, last_updated: page.date, source: 'web' };
}
