/**
 * Asks the model and calls Slack from a process that was told to use a proxy, which a process has to be from its start. Prints
 * what came back as JSON.
 */
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { SlackClient } from '../../src/platforms/slack/client.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { createSilentLog } from '../perplexity/silent-log.ts';

const [apiKey = '', baseUrl = '', token = '', apiUrl = ''] = process.argv.slice(2);
const { model } = createPerplexity({ apiKey, baseUrl, api: 'chat', log: createSilentLog().log });
const { text, failure } = await outcomeOf(model, question('How are the tides?'));
const { ok, team } = await new SlackClient(token, apiUrl, createSilentLog().log).auth.test();
process.stdout.write(JSON.stringify({ text, failure, ok, team }));
