import { createModel } from '../../src/perplexity/model.ts';
import { modelContract } from '../contracts/model.ts';
import { createSilentLog } from './silent-log.ts';

for (const api of ['chat', 'agent'] as const) {
  modelContract(api, ({ url, apiKey }, timers = {}) =>
    createModel({ apiKey, baseUrl: url, api, log: createSilentLog().log, timers }),
  );
}
