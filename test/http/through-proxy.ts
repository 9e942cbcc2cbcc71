/**
 * Asks the model and calls Slack from a process that was told to use a proxy, which a process has to be from its start. Prints
 * what came back as JSON.
 */
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { createCall } from '../../src/platforms/slack/web.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { createSilentLog } from '../perplexity/silent-log.ts';

const [apiKey = '', baseUrl = '', token = '', apiUrl = ''] = process.argv.slice(2);
const { model } = createPerplexity({ apiKey, baseUrl, api: 'chat', log: createSilentLog().log });
const { text, failure } = await outcomeOf(model, question('How are the tides?'));
const { ok, team } = await createCall(token, apiUrl)('auth.test', {});
process.stdout.write(JSON.stringify({ text, failure, ok, team }));
