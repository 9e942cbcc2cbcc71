import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { Failure } from '../../src/core/failures.ts';
import type { Report, ResearchApi, ResearchModel, UpstreamState } from '../../src/core/research/ports.ts';
import type { Effort, ModelRequest } from '../../src/core/types.ts';
import type { Timeouts } from '../../src/perplexity/deadline.ts';
import type { PerplexityServer } from '../servers/perplexity/server.ts';

/** Makes the implementation under test; timeouts as given, else its own defaults. */
export type MakeResearch = (
  server: Pick<PerplexityServer, 'url' | 'apiKey'>,
  timeouts?: Partial<Timeouts>,
) => ResearchModel;

/** A question for research, with the instruction that asks for a summary. */
function wish(text: string): ModelRequest {
  const system = 'Write a report. Begin it with `## Summary`, at most five lines.';
  return { system, messages: [{ role: 'user', text }], options: {} };
}

/** The signal of a call that nobody aborts. */
export const NEVER = new AbortController().signal;

/** Hands in one job. */
export function handIn(
  research: ResearchModel,
  api: ResearchApi,
  text: string,
  {
    key = randomUUID(),
    effort = 'medium',
    signal = NEVER,
  }: { key?: string; effort?: Effort; signal?: AbortSignal } = {},
): ReturnType<ResearchModel['submit']> {
  return research.submit({ api, request: wish(text), effort, key, signal });
}

/** The failure a promise ends in. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const failure = await promise.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw failure;
  return failure;
}

/** What every part of the contract works with. */
export interface Context {
  readonly api: ResearchApi;
  readonly server: () => PerplexityServer;
  readonly makeResearch: MakeResearch;
  readonly begin: (text: string, key?: string) => Promise<string>;
  readonly look: (upstream: string) => Promise<UpstreamState>;
  readonly reportOn: (text: string) => Promise<Report>;
}
