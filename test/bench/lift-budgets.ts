/** Loaded before the service (`--import`): whatever imports the pacing module gets `unpaced.ts` instead. */
import { registerHooks } from 'node:module';

const UNPACED = new URL('unpaced.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isPacing = resolved.url.endsWith('/src/core/pacing.ts') && context.parentURL !== UNPACED;
    return isPacing ? { ...resolved, url: UNPACED } : resolved;
  },
});
