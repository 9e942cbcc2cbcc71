import { type Message, type MessageSnapshot, MessageType, type Poll } from 'discord.js';
import type { JsonObject } from '../../core/untrusted.ts';

/** A message of discord.js as Discord's API gives it, as far as it is read: discord.js keeps no payload. */
export function toApiMessage(message: Message): JsonObject {
  const isStarter = message.type === MessageType.ThreadStarterMessage;
  // discord.js puts the message that is referred to into the cache of the channel it is referred to in.
  const starter = isStarter && message.channel?.messages.cache.get(message.reference?.messageId ?? '');
  return { ...toSent(message), ...(starter && { referenced_message: toSent(starter) }) };
}

function toSent(message: Message): JsonObject {
  const { webhookId, poll, messageSnapshots } = message;
  const author = message.author as Message['author'] | null; // null in a message that Discord sent in part
  return {
    ...toShown(message),
    author: author && { id: author.id, username: author.displayName, bot: author.bot },
    webhook_id: webhookId,
    poll: poll && toApiPoll(poll),
    message_snapshots: messageSnapshots.map((snapshot) => ({ message: toShown(snapshot) })),
  };
}

/** What a forward shows too. */
function toShown(message: Message | MessageSnapshot): JsonObject {
  const { type, flags, content, embeds, components, attachments, stickers, mentions } = message;
  return {
    type,
    flags: flags.bitfield,
    content,
    embeds: embeds.map((embed) => embed.toJSON()),
    components: components.map((component) => component.toJSON()),
    attachments: attachments.map(({ name, title, description, contentType, size, url }) => {
      return { filename: name, title, description, content_type: contentType, size, url };
    }),
    sticker_items: stickers.map(({ name }) => ({ name })),
    mentions: mentions.users.map(({ id, displayName }) => ({ id, username: displayName })),
  };
}

function toApiPoll({ question, answers }: Poll): JsonObject {
  // Where Discord gives no counts, discord.js has counted none.
  const isCounted = answers.some(({ voteCount }) => voteCount > 0);
  return {
    question,
    answers: answers.map(({ id, text, emoji }) => ({ answer_id: id, poll_media: { text, emoji } })),
    results: isCounted && { answer_counts: answers.map(({ id, voteCount }) => ({ id, count: voteCount })) },
  };
}
