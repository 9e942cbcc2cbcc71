import { Failure } from '../../core/failures.ts';
import { retry } from '../../core/retry.ts';
import { type Desk, patience, waitAskedFor } from './desk.ts';
import { asText } from './payload.ts';

/**
 * One `chat.postMessage` under the budgets, with inert text, and without previews unless the arguments say otherwise.
 * Returns its `ts`. @throws {Failure}
 */
export async function post(
  desk: Desk,
  args: Readonly<Record<string, unknown>> & { readonly channel: string },
  isPaid = false,
): Promise<string> {
  if (!isPaid) await desk.budgets.takePost(args.channel);
  const quiet = { unfurl_links: false, unfurl_media: false, parse: 'none', link_names: false };
  try {
    const result = await desk.call('chat.postMessage', { ...quiet, ...args });
    return asText(result.ts) ?? '';
  } catch (error) {
    const waitMs = waitAskedFor(error);
    if (waitMs > 0) desk.budgets.blockPosts(args.channel, waitMs);
    throw error;
  }
}

interface Once<T> {
  /** An earlier try may have posted it. */
  readonly mayStand: boolean;
  /** What stands there; null when nothing does. */
  readonly find: () => Promise<T | null>;
  /** `attempt` counts from 1. */
  readonly write: (attempt: number) => Promise<T>;
}

/** Posts until it is certain that it stands there once: Slack has no key that would make a repeat the same post. @throws {Failure} */
export function postOnce<T>(desk: Desk, { mayStand, find, write }: Once<T>): Promise<T> {
  let isUnsure = mayStand;
  let isLooking = false;
  // A look has been repeated often enough when it fails.
  return retry({ ...patience(desk), canRetry: () => !isLooking }, async (attempt) => {
    isLooking = isUnsure;
    const found = isUnsure ? await find() : null;
    isLooking = false;
    if (found !== null) return found;
    try {
      return await write(attempt);
    } catch (error) {
      isUnsure ||= error instanceof Failure && error.ambiguous;
      throw error;
    }
  });
}
