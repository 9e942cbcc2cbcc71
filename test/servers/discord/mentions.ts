import { withoutCode } from './markup.ts';

/** `allowed_mentions` as it is sent. */
export interface AllowedMentions {
  readonly parse?: readonly ('users' | 'roles' | 'everyone')[] | null;
  readonly users?: readonly string[] | null;
  readonly roles?: readonly string[] | null;
  readonly replied_user?: boolean | null;
}

export interface Mentioned {
  readonly users: readonly string[];
  readonly roles: readonly string[];
  readonly everyone: boolean;
}

/** What is parsed when `allowed_mentions` is left out: all of it for a bot's own message, users only for interactions. */
export const BOT_DEFAULT: AllowedMentions = { parse: ['users', 'roles', 'everyone'], replied_user: true };
export const INTERACTION_DEFAULT: AllowedMentions = { parse: ['users'], replied_user: false };

/** The mentions in a text that `allowed_mentions` lets through. */
export function resolveMentions(content: string, allowed: AllowedMentions): Mentioned {
  const text = withoutCode(content);
  const ids = (pattern: RegExp): string[] => [
    ...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? '')),
  ];
  const parses = (kind: 'users' | 'roles' | 'everyone'): boolean => allowed.parse?.includes(kind) ?? false;
  return {
    users: ids(/<@!?(\d{17,19})>/g).filter((id) => parses('users') || allowed.users?.includes(id)),
    roles: ids(/<@&(\d{17,19})>/g).filter((id) => parses('roles') || allowed.roles?.includes(id)),
    everyone: parses('everyone') && /@(everyone|here)/.test(text),
  };
}
