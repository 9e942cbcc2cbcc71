import { Failure } from '../../core/failures.ts';
import type { Log } from '../../core/ports.ts';
import type { SlackCall } from './web.ts';

/** Whether Slack still takes our bot token. */
export interface Access {
  readonly call: SlackCall;
  /** False from the first call that Slack refuses for the token until one succeeds again. */
  isGranted(): boolean;
}

/** Watches the calls for a token that was revoked while we run: one clear line, not one per answer. */
export function watchAccess(call: SlackCall, log: Log): Access {
  let isGranted = true;
  return {
    async call(method, args) {
      try {
        const result = await call(method, args);
        isGranted = true;
        return result;
      } catch (error) {
        // A scope that is missing for one method says nothing of the token.
        const isRefused =
          error instanceof Failure && error.kind === 'not-authorised' && error.code !== 'missing_scope';
        if (!isRefused) throw error;
        if (isGranted)
          log.error(
            { code: error.code },
            'SLACK_BOT_TOKEN: Slack refuses it; reinstall the app and copy the new one',
          );
        isGranted = false;
        throw error;
      }
    },
    isGranted: () => isGranted,
  };
}
