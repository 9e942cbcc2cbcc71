/** `response_url`s and `trigger_id`s: what an interaction hands out for answering it. */
import { randomUUID } from 'node:crypto';

const USES = 5;
const RESPONSE_MS = 30 * 60_000;
const TRIGGER_MS = 3000;

/** Who gets what is posted to a response_url. `message` is the message whose button was pressed, if any. */
export interface ResponseTarget {
  readonly channel: string;
  readonly user: string;
  readonly message: string | null;
  readonly threadTs: string | null;
}

export interface Responses {
  /** A new response_url's path. */
  url(target: ResponseTarget): string;
  /** Spends one of five uses within 30 minutes; a string is Slack's refusal. */
  use(path: string, now: number): ResponseTarget | 'expired_url' | 'used_url';
  trigger(now: number): string;
  /** Spends a trigger: null when it is good, else Slack's error code. Three seconds, one use. */
  spend(
    trigger: string,
    now: number,
  ): 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id' | null;
}

export function createResponses(): Responses {
  const urls = new Map<string, { readonly target: ResponseTarget; readonly at: number; uses: number }>();
  const triggers = new Map<string, { readonly at: number; used: boolean }>();
  let sequence = 0;
  return {
    url(target) {
      const path = `/response/${randomUUID()}`;
      urls.set(path, { target, at: Date.now(), uses: 0 });
      return path;
    },
    use(path, now) {
      const found = urls.get(path);
      if (found === undefined || now - found.at > RESPONSE_MS) return 'expired_url';
      found.uses += 1;
      return found.uses > USES ? 'used_url' : found.target;
    },
    trigger(now) {
      sequence += 1;
      const id = `${now}.${sequence}.${randomUUID().replaceAll('-', '')}`;
      triggers.set(id, { at: now, used: false });
      return id;
    },
    spend(trigger, now) {
      const found = triggers.get(trigger);
      if (found === undefined) return 'invalid_trigger_id';
      if (found.used) return 'exchanged_trigger_id';
      if (now - found.at > TRIGGER_MS) return 'expired_trigger_id';
      found.used = true;
      return null;
    },
  };
}
