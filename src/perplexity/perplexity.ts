import type { Model } from '../core/ports.ts';
import type { ResearchModel } from '../core/research/ports.ts';
import { type ConnectionOptions, createConnection } from './connection.ts';
import { createModel, type ModelOptions } from './model.ts';
import { createResearchModel, type ResearchOptions } from './research.ts';

export interface PerplexityOptions extends ConnectionOptions, ModelOptions, ResearchOptions {}

export interface Perplexity {
  readonly model: Model;
  readonly research: ResearchModel;
}

/** Perplexity behind both of its ports, through either of its APIs. Reads no environment and retries nothing. */
export function createPerplexity(options: PerplexityOptions): Perplexity {
  const connection = createConnection(options);
  return { model: createModel(connection, options), research: createResearchModel(connection, options) };
}
