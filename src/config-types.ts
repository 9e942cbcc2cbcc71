/** What an environment variable may hold. The messages are the remedies that a person reads; none of them holds the value. */
import { z } from 'zod';
import { resolveProfile } from './core/commands/options.ts';
import { PROFILE_NAMES, RESEARCH_PROFILE } from './core/types.ts';

export interface VariableType<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** As the documentation says it: "auto, chat or agent". */
  readonly takes: string;
  /** Its value must never be logged. */
  readonly isSecret?: true;
}

export const text = { schema: z.string(), takes: 'text' };
export const file = { schema: z.string(), takes: 'a path' };

export const flag = { schema: z.stringbool({ error: 'use true or false' }), takes: 'true or false' };

/** An http(s) address, without the slash at its end. */
export const webAddress = {
  schema: z
    .url({ protocol: /^https?$/, error: 'is not an http(s) address' })
    .transform((url) => url.replace(/\/+$/, '')),
  takes: 'an http(s) address',
};

export const postgresAddress = {
  schema: z.url({
    protocol: /^postgres(ql)?$/,
    error: 'must look like postgres://user:password@host:5432/database',
  }),
  takes: 'postgres://user:password@host:5432/database',
};

export function matching(pattern: RegExp, takes: string) {
  return { schema: z.string().regex(pattern, { error: `must be ${takes}` }), takes };
}

export function oneOf<const T extends readonly string[]>(names: T) {
  const takes = inWords(names);
  return { schema: z.enum(names, { error: `use ${takes}` }), takes };
}

/** "a, b or c". */
function inWords(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

/** Both bounds are allowed. */
export function decimal(min: number, max: number) {
  const takes = `a number from ${min} to ${max}`;
  const error = `must be ${takes}`;
  return { schema: z.coerce.number({ error }).min(min, { error }).max(max, { error }), takes };
}

/** Both bounds are allowed. */
export function integer(min: number, max: number) {
  const takes = `a whole number from ${min} to ${max}`;
  const error = `must be ${takes}`;
  return { schema: z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }), takes };
}

/** Parts between commas. */
export function list(part: RegExp, most: number, takes: string) {
  const error = `takes ${takes}`;
  const parts = z.array(z.string().regex(part, { error })).max(most, { error: `holds more than ${most}` });
  return { schema: z.string().transform(splitAtCommas).pipe(parts), takes };
}

function splitAtCommas(value: string): string[] {
  const parts = value.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

/** A secret that is sent in a header, which carries nothing but ASCII. White space and quotes come from careless copying. */
const token = z
  .string()
  .regex(/^[\x20-\x7e\s]*$/, 'holds an invisible or non-ASCII character: copy it again')
  .regex(/^[^\s'"]*$/, 'holds white space or quotes: copy it again');

/** @param origin where in Slack's settings it is found. */
export function slackToken(prefix: 'xoxb-' | 'xapp-', origin: string) {
  const other = prefix === 'xoxb-' ? 'xapp-' : 'xoxb-';
  const error = ({ input }: { readonly input?: unknown }): string => {
    const isSwapped = String(input).startsWith(other);
    const what = isSwapped ? 'is the other Slack token: swap the two.' : `does not begin with ${prefix}.`;
    return `${what} It must be ${origin}`;
  };
  return {
    schema: token.refine((value) => value.startsWith(prefix), { error }),
    takes: `${prefix}…`,
    isSecret: true,
  } as const;
}

/** A token that does not begin as those of another service do. */
export function tokenWithout(prefixes: RegExp, error: string) {
  return {
    schema: token.refine((value) => !prefixes.test(value), { error }),
    takes: 'a token',
    isSecret: true,
  } as const;
}

/** A model by the user's name, with what to say about it when the name stands for another one now. */
export const modelName = {
  schema: z.string().transform((name, context) => {
    const resolved = resolveProfile(name);
    if (resolved) return resolved;
    context.addIssue(`use ${inWords(PROFILE_NAMES)}`);
    return z.NEVER;
  }),
  takes: inWords(PROFILE_NAMES),
};

const profileTable = z.partialRecord(
  z.enum([...PROFILE_NAMES, RESEARCH_PROFILE]),
  z.record(z.string(), z.unknown()),
);
/** What the Agent API is sent for each model name. */
export const agentProfiles = {
  schema: z.string().transform((value, context) => {
    const table = profileTable.safeParse(parseJson(value));
    if (table.success) return table.data;
    const example = '{"sonar-pro":{"preset":"low"}}';
    context.addIssue(`must be JSON such as ${example}, with model names as keys (docs/settings.md)`);
    return z.NEVER;
  }),
  takes: 'JSON',
};

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
