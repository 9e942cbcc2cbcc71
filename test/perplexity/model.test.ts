import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { modelContract } from '../contracts/model.ts';
import { createSilentLog } from './silent-log.ts';

for (const api of ['chat', 'agent'] as const) {
  modelContract(api, ({ url, apiKey }, timeouts = {}) => {
    const { log } = createSilentLog();
    return createPerplexity({ apiKey, baseUrl: url, api, log, timeouts }).model;
  });
}
