/** The minimal Discord bot: discord.js, a reply at the first token, an edit once a second, 2,000 characters a message. */
import { once } from 'node:events';
import { Client, Events, GatewayIntentBits, type Message } from 'discord.js';
import { serve, watchLoop } from '../child.ts';
import { createEditing } from './editing.ts';
import { createClient, streamText } from './model-loop.ts';

const [modelUrl = '', apiUrl = '', token = ''] = process.argv.slice(2);
const model = createClient(modelUrl);
const { Guilds, GuildMessages, MessageContent } = GatewayIntentBits;
const discord = new Client({ intents: [Guilds, GuildMessages, MessageContent], rest: { api: apiUrl } });
const loop = watchLoop();

const PART = 2_000;

discord.on(Events.MessageCreate, (message) => {
  const { user } = discord;
  if (user && !message.author.bot && message.mentions.has(user)) void answer(message);
});

async function answer(question: Message): Promise<void> {
  const parts: { message: Message; text: string }[] = [];
  const editing = createEditing(async (text) => {
    for (const [i, part] of split(text).entries()) {
      const shown = parts[i];
      if (shown === undefined) parts.push({ message: await question.reply(part), text: part });
      else if (shown.text !== part) parts[i] = { message: await shown.message.edit(part), text: part };
    }
  });
  await editing.finish(await streamText(model, question.content, editing.grown));
}

/** At the last space before the limit, so that no word is torn. */
function split(text: string): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > PART) {
    const end = rest.lastIndexOf(' ', PART - 1) + 1;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...parts, rest];
}

const connected = Promise.all([once(discord, Events.ClientReady), discord.login(token)]);
const handlers = {
  /** Resolves when the gateway has sent the guild. */
  ready: () => connected.then(() => true),
  loop: () => loop(),
};

export type LoopHandlers = typeof handlers;
serve(handlers);
