import { DEFAULT_WISH, type ParsedSites, parseSites } from '../../core/commands/options.ts';
import {
  type AnswerOptions,
  EFFORTS,
  PROFILE_NAMES,
  RECENCIES,
  type ResearchWish,
} from '../../core/types.ts';
import { asObjects, asText, type Json } from './wire.ts';

/** The manifest offers nothing else; what a stale client sends beyond it is left out. */

/** One option of a command or subcommand as typed; null when it was left out. */
export function optionOf(data: Json, name: string): string | null {
  return asText(asObjects(data['options']).find((option) => option['name'] === name)?.['value']);
}

/** What was chosen for an answer. */
export function overridesOf(data: Json): AnswerOptions {
  const profile = PROFILE_NAMES.find((known) => known === optionOf(data, 'model'));
  const recency = RECENCIES.find((known) => known === optionOf(data, 'recency'));
  return { ...(profile && { profile }), ...(recency && { recency }) };
}

/** How a research job is wished for by the options of `/research`. */
export function wishOf(data: Json): ResearchWish {
  const effort = EFFORTS.find((known) => known === optionOf(data, 'effort'));
  const notify = (['here', 'dm'] as const).find((known) => known === optionOf(data, 'notify'));
  return { ...DEFAULT_WISH, ...(effort && { effort }), ...(notify && { notify }) };
}

/** The option `sites`, which is free text. */
export function sitesOf(data: Json): ParsedSites {
  return parseSites(optionOf(data, 'sites') ?? '');
}

const SUBCOMMAND = 1;

/** The subcommand that was used, with options of its own; null for none. */
export function subcommandOf(data: Json): { readonly name: string; readonly data: Json } | null {
  const [option] = asObjects(data['options']);
  const name = asText(option?.['name']);
  return option && name && option['type'] === SUBCOMMAND ? { name, data: option } : null;
}

/** What has been typed so far into the option that asks for completion. */
export function typedIn(data: Json): string {
  return asText(asObjects(data['options']).find((option) => option['focused'] === true)?.['value']) ?? '';
}
