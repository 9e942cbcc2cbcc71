/** Loaded before the service (`--import`): whatever imports the rate limiter gets `unpaced.ts` instead. */
import { registerHooks } from 'node:module';

const UNPACED = new URL('unpaced.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isRateLimiter =
      resolved.url.endsWith('/src/core/limits/call-limiter.ts') && context.parentURL !== UNPACED;
    return isRateLimiter ? { ...resolved, url: UNPACED } : resolved;
  },
});
