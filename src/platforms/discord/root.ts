import { sleep } from '../../core/concurrency.ts';
import { Failure } from '../../core/failures.ts';
import type { Question } from '../../core/types.ts';
import { discordMarkdown } from '../../markdown/dialects.ts';
import { escapeText } from '../../markdown/text.ts';
import { clipText } from './clipping.ts';
import { lookFor } from './look-up.ts';
import { nonceOf, postMessage } from './messages.ts';
import { type DiscordRest, isInteractionOver } from './rest.ts';
import { asId, asObject, type WireMessage } from './wire.ts';

/** The question restated under `/ask`: a quote, cut to what fits with room to spare; inert. */
export function restate(text: string): string {
  const trimmed = text.trim();
  const cut = trimmed.length > LONGEST_QUOTE ? `${clipText(trimmed, LONGEST_QUOTE)}…` : trimmed;
  const quoted = escapeText(discordMarkdown, cut).split(/\r?\n/).join('\n> ');
  // Escaping lengthens: the worst text still has to fit.
  return `> ${clipText(quoted, LONGEST_ROOT)}`;
}

/** A question may be longer than a message: what stands above the answer is a reminder, not the whole. */
const LONGEST_QUOTE = 900;
const LONGEST_ROOT = 1_900;

/**
 * Finds the message the answer to `/ask` belongs under: our response to the command, or one posted in its place when that
 * never came into being (the process died between storing and responding) or its token is too old to ask.
 * @returns the id of the message in the question's channel.
 * @throws {Failure}
 */
export async function findRoot(
  { rest, botId }: { readonly rest: DiscordRest; readonly botId: string },
  question: Question,
): Promise<string> {
  return (
    (await findResponse(rest, question)) ??
    (await findInHistory(rest, botId, question)) ??
    (await postRoot(rest, question))
  );
}

/** The response is on its way while the first attempt already runs: it is given this long to appear. */
const PATIENCE_MS = [0, 100, 200, 400, 800, 1_500];
/** An older question is one that was taken up again: a response that is not there by now will not come. */
const FRESH_MS = 20_000;
/** Discord's tokens live 15 minutes; the margin is for clocks. */
export const TOKEN_LIFETIME_MS = 14 * 60_000;

async function findResponse(
  rest: DiscordRest,
  { delivery, askedAt, trigger }: Question,
): Promise<string | null> {
  const { application, token } = delivery;
  const age = Date.now() - askedAt;
  // A button's token leads to the message with the button.
  if (trigger !== 'command' || !application || !token || age > TOKEN_LIFETIME_MS) return null;
  for (const waitMs of age > FRESH_MS ? [0] : PATIENCE_MS) {
    await sleep(waitMs);
    try {
      const found = await rest.get(`/webhooks/${application}/${token}/messages/@original`, { auth: false });
      return asId(asObject(found)?.['id']);
    } catch (error) {
      if (!isInteractionOver(error)) throw error;
    }
  }
  return null;
}

/** So long a nonce is sure to be remembered. */
const NONCE_MS = 60_000;

/** After a long interruption neither the token nor the nonce leads to a root that is there all the same. */
async function findInHistory(rest: DiscordRest, botId: string, question: Question): Promise<string | null> {
  const { channel, delivery, askedAt } = question;
  if (Date.now() - askedAt < NONCE_MS) return null;
  const content = rootContent(question);
  const isIt = (message: WireMessage): boolean =>
    message.content === content ||
    (message.interaction !== null && message.interaction === delivery['interaction']);
  const found = await lookFor(rest, { channel, question, botId, mayBeEmpty: true, isIt });
  return typeof found === 'string' ? null : found.id;
}

/** What stands above an answer to `/ask` whose response never came into being. */
export function rootContent({ asker, text }: Question): string {
  const name = asker.name ? escapeText(discordMarkdown, asker.name) : 'Somebody';
  return `${name.slice(0, 100)} asked:\n${restate(text)}`.slice(0, 2_000);
}

async function postRoot(rest: DiscordRest, question: Question): Promise<string> {
  const { channel } = question;
  await rest.paces.of(channel).create.acquire('progress');
  const draft = { content: rootContent(question), buttons: [] };
  const nonce = nonceOf(question.id, 'root');
  const root = await postMessage(rest, draft, { channel, replyTo: null, nonce, urgency: 'progress' });
  if (root.channel !== channel) throw new Failure('rejected', 'the root was posted elsewhere');
  return root.id;
}
