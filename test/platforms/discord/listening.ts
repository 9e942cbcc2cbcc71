/**
 * Listens to Discord in a process of its own, because one has to be told of proxies from its start. Prints each question and
 * each warning or error of the log as a line of JSON. `plain`: only logs a client of discord.js in, as it comes. `late`: is told
 * of proxies by its own code, as the service is that finds them in `.env`.
 */
import http from 'node:http';
import { Client, Events, GatewayIntentBits } from 'discord.js';
import type { Log } from '../../../src/core/ports.ts';
import { openDiscord } from '../../../src/platforms/discord/app.ts';
import { memoryKeyValue, quietLog } from '../../core/fakes.ts';

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const log: Log = {
  ...quietLog,
  warn: (fields, message) => print({ warn: message, ...fields }),
  error: (fields, message) => print({ error: message, ...fields }),
};
const [token = '', apiUrl = '', how] = process.argv.slice(2);

async function loginPlainly(): Promise<void> {
  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    rest: { api: apiUrl, makeRequest: fetch as never },
  });
  client.on(Events.Error, () => undefined);
  client.on(Events.ShardError, ({ message }) => print({ plain: message }));
  await client.login(token).catch((error: unknown) => print({ plain: String(error) }));
}

async function listen(): Promise<void> {
  const app = await openDiscord({ token, apiUrl, messageContent: true, threads: 'always', log });
  const intake = {
    async accept({ text }: { readonly text: string }) {
      print({ question: text });
      return 'accepted' as const;
    },
    press: async () => null,
    stop: async () => {},
    withdraw: async () => {},
    overhear: async () => {},
    revise: async () => {},
  };
  await app.listen(intake, memoryKeyValue());
}

if (how === 'late') http.setGlobalProxyFromEnv();
await (how === 'plain' ? loginPlainly() : listen());
