/** Tells a screen reader what is new: whole messages, and an answer when it is finished rather than at every word. */
export function announce(before, message) {
  const isNew = before === undefined ? !message.streaming : before.streaming && !message.streaming;
  if (!isNew) return;
  const text = message.pieces.flatMap((piece) => ('text' in piece ? [piece.text] : [])).join(' ');
  document.querySelector('#announcer').textContent = `${message.author.name}: ${text.slice(0, 300)}`;
}
