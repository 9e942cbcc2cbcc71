import type { Question } from '../../core/types.ts';
import { questionsOn } from './messages.ts';
import type { WireMessage } from './wire.ts';

/**
 * Whether it is the job's notification, which alone begins with a mention. `content`: how it would be posted now, which is
 * all there is to know one without buttons by.
 */
export function isNotice(message: WireMessage, { id, asker }: Question, content: string): boolean {
  if (!message.content.startsWith(`<@${asker.id}>`)) return false;
  const carried = questionsOn(message);
  return carried.length > 0 ? carried.includes(id) : message.content.trim() === content.trim();
}

/** Whether it is the job's card. */
export function isCard(message: WireMessage, { id }: Question): boolean {
  return !message.content.startsWith('<@') && questionsOn(message).includes(id);
}
