import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { researchModelContract } from '../contracts/research-model.ts';
import { createSilentLog } from './silent-log.ts';

for (const api of ['chat', 'agent'] as const) {
  researchModelContract(api, ({ url, apiKey }, researchTimeouts = {}) => {
    const { log } = createSilentLog();
    return createPerplexity({ apiKey, baseUrl: url, api, log, researchTimeouts }).research;
  });
}
