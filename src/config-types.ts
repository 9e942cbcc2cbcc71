/**
 * What an environment variable may hold, as zod types. Each says in words what it `takes`, for the documentation and for what a
 * person reads about a wrong value. No message holds the value.
 */
import { z } from 'zod';
import { type ResolvedProfile, resolveProfile } from './core/commands/options.ts';
import { PROFILE_NAMES, RESEARCH_PROFILE } from './core/types.ts';

declare module 'zod' {
  interface GlobalMeta {
    /** As the documentation says it: "auto, chat or agent". */
    takes?: string;
    /** The value must never be logged. */
    isSecret?: true;
  }
}

/** What the table says of a setting, whether or not it may be left out. */
export function metaOf(setting: z.ZodType | undefined): z.GlobalMeta {
  const isWrapped = setting instanceof z.ZodOptional || setting instanceof z.ZodPrefault;
  const type = isWrapped ? z.globalRegistry.get(setting.unwrap()) : null;
  return { ...type, ...setting?.meta() };
}

export const text = z.string().meta({ takes: 'text' });
export const file = z.string().meta({ takes: 'a path' });
export const flag = z.stringbool().meta({ takes: 'true or false' });

/** An http(s) address, without the slash at its end. */
export const webAddress = z
  .url({ protocol: /^https?$/ })
  .transform((url) => url.replace(/\/+$/, ''))
  .meta({ takes: 'an http(s) address' });

export const postgresAddress = z
  .url({ protocol: /^postgres(ql)?$/ })
  .meta({ takes: 'postgres://user:password@host:5432/database' });

export function matching(pattern: RegExp, takes: string) {
  return z.string().regex(pattern).meta({ takes });
}

export function oneOf<const T extends readonly string[]>(names: T) {
  return z.enum(names).meta({ takes: inWords(names) });
}

/** "a, b or c". */
function inWords(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

/** Both bounds are allowed. */
export function decimal(min: number, max: number) {
  return z.coerce
    .number()
    .min(min)
    .max(max)
    .meta({ takes: `a number from ${min} to ${max}` });
}

/** Both bounds are allowed. */
export function integer(min: number, max: number) {
  return decimal(min, max)
    .int()
    .meta({ takes: `a whole number from ${min} to ${max}` });
}

/** Parts between commas. */
export function list(part: RegExp, most: number, takes: string) {
  const parts = z.array(z.string().regex(part)).max(most, `holds more than ${most}`);
  return z.string().transform(splitAtCommas).pipe(parts).meta({ takes });
}

function splitAtCommas(value: string): string[] {
  const parts = value.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

/** A secret that is sent in a header, which carries nothing but ASCII. White space and quotes come from careless copying. */
const token = z
  .string()
  .regex(/^[\x20-\x7e\s]*$/, 'holds an invisible or non-ASCII character: copy it again')
  .regex(/^[^\s'"]*$/, 'holds white space or quotes: copy it again')
  .meta({ takes: 'a token', isSecret: true });

/** @param origin where in Slack's settings it is found. */
export function slackToken(prefix: 'xoxb-' | 'xapp-', origin: string) {
  const other = prefix === 'xoxb-' ? 'xapp-' : 'xoxb-';
  const error = ({ input }: { readonly input?: unknown }): string =>
    String(input).startsWith(other)
      ? 'is the other Slack token: swap the two'
      : `does not begin with ${prefix}. It must be the ${origin}`;
  return token.startsWith(prefix, { error }).meta({ takes: `${prefix}…` });
}

/** A token that does not begin as those of another service do. */
export function tokenWithout(prefixes: RegExp, error: string) {
  return token.refine((value) => !prefixes.test(value), error);
}

/** A model by the user's name, with what to say about it when the name stands for another one now. */
export const modelName = z
  .string()
  .transform(resolveProfile)
  .pipe(z.custom<ResolvedProfile>((resolved) => resolved !== null))
  .meta({ takes: inWords(PROFILE_NAMES) });

const profileTable = z.partialRecord(
  z.enum([...PROFILE_NAMES, RESEARCH_PROFILE]),
  z.record(z.string(), z.unknown()).transform((agent) => ({ agent })),
);

/** What the Agent API is sent for each model name. */
export const agentProfiles = z
  .string()
  .transform(parseJson)
  .pipe(profileTable)
  .meta({ takes: 'JSON such as {"sonar-pro":{"preset":"low"}}, with model names as keys' });

/** Null for what is no JSON. */
function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
