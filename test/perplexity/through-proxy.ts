/** Asks the model, from a process that was told to use a proxy or a certificate: a process has to be told from its start. */
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { createSilentLog } from './silent-log.ts';

const [api, apiKey = '', baseUrl = ''] = process.argv.slice(2);
const log = createSilentLog().log;
const { model } = createPerplexity({ apiKey, baseUrl, api: api === 'agent' ? 'agent' : 'chat', log });
const { text, failure } = await outcomeOf(model, question('How are the tides?'));
process.stdout.write(JSON.stringify({ text, failure }));
