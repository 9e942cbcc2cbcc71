import { z } from 'zod';

const domain = z
  .string()
  .max(253)
  .regex(/^-?[a-z0-9.-]+(?:\/\S*)?$/i, 'must be a host name without a scheme');
const image = z.string().regex(/^(?:https:\/\/|data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/]+=*$)/i);
const domains = z
  .array(domain)
  .max(20)
  .refine((all) => new Set(all.map((one) => one.startsWith('-'))).size < 2, 'allow and deny cannot be mixed');
const recency = z.enum(['hour', 'day', 'week', 'month', 'year']);
const date = z.string().regex(/^\d{2}\/\d{2}\/\d{4}$/);
const contextSize = z.enum(['low', 'medium', 'high']);
const location = z.strictObject({
  country: z.string().optional(),
  region: z.string().optional(),
  city: z.string().optional(),
  latitude: z.number().optional(),
  longitude: z.number().optional(),
});

const RESEARCH_MODEL = 'sonar-deep-research';

/** Chat completions, strictly: the real one ignores what it does not know, which would hide our mistakes. */
export const chatRequest = z.strictObject({
  model: z.enum(['sonar', 'sonar-pro', 'sonar-reasoning-pro', RESEARCH_MODEL]),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['system', 'user', 'assistant']),
        content: z.union([
          z.string(),
          z
            .array(
              z.union([
                z.strictObject({ type: z.literal('text'), text: z.string() }),
                z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: image }) }),
                z.strictObject({
                  type: z.literal('file_url'),
                  file_url: z.strictObject({ url: z.string().regex(/^(?:https:\/\/|[a-z0-9+/]+=*$)/i) }),
                  file_name: z.string().optional(),
                }),
              ]),
            )
            .min(1),
        ]),
      }),
    )
    .min(1),
  max_tokens: z.int().min(1).max(128_000).optional(),
  temperature: z.number().min(0).lt(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  top_k: z.int().min(0).max(2048).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  stream: z.boolean().optional(),
  stream_mode: z.enum(['full', 'concise']).optional(),
  reasoning_effort: z.enum(['minimal', 'low', 'medium', 'high']).optional(),
  language_preference: z.string().optional(),
  disable_search: z.boolean().optional(),
  enable_search_classifier: z.boolean().optional(),
  search_mode: z.enum(['web', 'academic', 'sec']).optional(),
  search_recency_filter: recency.optional(),
  search_domain_filter: domains.optional(),
  search_language_filter: z.array(z.string()).optional(),
  search_after_date_filter: date.optional(),
  search_before_date_filter: date.optional(),
  last_updated_after_filter: date.optional(),
  last_updated_before_filter: date.optional(),
  return_images: z.boolean().optional(),
  return_related_questions: z.boolean().optional(),
  num_search_results: z.int().min(1).max(50).optional(),
  safe_search: z.boolean().optional(),
  web_search_options: z
    .strictObject({
      search_context_size: contextSize.optional(),
      search_type: z.enum(['fast', 'pro', 'auto']).optional(),
      user_location: location.optional(),
    })
    .optional(),
});

const webSearch = z.strictObject({
  type: z.literal('web_search'),
  search_type: z.enum(['web', 'fast']).optional(),
  search_context_size: contextSize.optional(),
  max_results: z.int().min(1).max(50).optional(),
  max_tokens: z.int().min(1).optional(),
  max_tokens_per_page: z.int().min(1).optional(),
  user_location: location.optional(),
  filters: z
    .strictObject({
      search_domain_filter: domains.optional(),
      search_recency_filter: recency.optional(),
      search_after_date_filter: date.optional(),
      search_before_date_filter: date.optional(),
      last_updated_after_filter: date.optional(),
      last_updated_before_filter: date.optional(),
    })
    .optional(),
});

const item = z.strictObject({
  // The official SDK's types require it.
  type: z.literal('message'),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content: z.union([
    z.string(),
    z
      .array(
        z.union([
          z.strictObject({ type: z.literal('input_text'), text: z.string() }),
          z.strictObject({
            type: z.literal('input_image'),
            image_url: image,
            detail: z.literal('auto').optional(),
          }),
        ]),
      )
      .min(1),
  ]),
});

/** A research job: a chat completion to be done later. Only deep research could be. */
export const chatJob = z.strictObject({
  request: chatRequest.omit({ stream: true, stream_mode: true }).extend({ model: z.literal(RESEARCH_MODEL) }),
  idempotency_key: z.string().min(1).max(255).optional(),
});

/** The Agent API; strict, as the real one is. */
export const agentRequest = z
  .strictObject({
    input: z.union([z.string().min(1), z.array(item).min(1)]),
    instructions: z.string().optional(),
    model: z.string().optional(),
    models: z.array(z.string()).max(5).optional(),
    preset: z.string().optional(),
    effort: z.string().optional(),
    max_output_tokens: z.int().min(16).optional(),
    temperature: z.number().min(0).max(2).optional(),
    top_p: z.number().min(0).max(1).optional(),
    stream: z.boolean().optional(),
    store: z.boolean().optional(),
    background: z.boolean().optional(),
    max_steps: z.int().min(1).max(100).optional(),
    max_tool_calls: z.int().min(1).optional(),
    metadata: z
      .record(z.string().max(64), z.string().max(512))
      .refine((all) => Object.keys(all).length <= 16, 'at most 16 keys')
      .optional(),
    reasoning: z.strictObject({ effort: z.enum(['minimal', 'low', 'medium', 'high']) }).optional(),
    tool_choice: z
      .union([z.enum(['auto', 'none', 'required']), z.strictObject({ type: z.literal('web_search') })])
      .optional(),
    parallel_tool_calls: z.boolean().optional(),
    language_preference: z.string().optional(),
    tools: z.array(z.union([webSearch, z.strictObject({ type: z.literal('fetch_url') })])).optional(),
  })
  .refine(
    (body) =>
      [body.model, body.models, body.preset, body.effort].filter((one) => one !== undefined).length === 1,
    'exactly one of model, models, preset, effort',
  );

export type ChatRequest = z.infer<typeof chatRequest>;
export type AgentRequest = z.infer<typeof agentRequest>;

/** The message of the 400 that the first fault in a body is worth. */
export function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'invalid request body';
  if (issue.code === 'unrecognized_keys')
    return `invalid request body: json: unknown field "${issue.keys[0]}"`;
  return `invalid request body: ${issue.path.join('.')}: ${issue.message}`;
}
