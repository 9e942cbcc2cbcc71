import { blocks } from './blocks.js';
import { nameIn } from './message-list.js';

/** Tells a screen reader what is new: whole messages, and an answer when it is finished rather than at every word. */
export function announce(before, message, side) {
  const isNew = before === undefined ? !message.streaming : before.streaming && !message.streaming;
  if (!isNew) return;
  const text = message.pieces.flatMap((piece) => ('text' in piece ? [spoken(piece, side)] : [])).join(' ');
  document.querySelector('#announcer').textContent = `${message.author.name}: ${text.slice(0, 300)}`;
}

/** A piece's text as it is read, without mark-up. */
export function spoken({ text, dialect }, side) {
  if (!dialect) return text;
  const drawn = blocks(text, { dialect, nameOf: (id) => nameIn(side, id) });
  return drawn.map((one) => one.textContent).join(' ');
}
