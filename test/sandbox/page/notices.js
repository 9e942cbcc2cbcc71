/** What the platforms' clients pop up when somebody is mentioned where they are not looking. */
import { spoken } from './announcing.js';
import { h } from './dom.js';

/** Older ones make room. */
const MOST = 3;
const LONGEST = 160;

/** @param {() => void} onOpen */
export function notify(title, message, side, onOpen) {
  const gone = () => notice.remove();
  const first = message.pieces.find((piece) => piece.type === 'text');
  const text = first ? spoken({ ...first, text: first.text.split('\n')[0] }, side) : '';
  const open = () => {
    gone();
    onOpen();
  };
  const notice = h(
    'div.notice',
    {},
    h(
      'button.open',
      { type: 'button', onclick: open },
      h('strong', {}, title),
      h('span', {}, text.slice(0, LONGEST)),
    ),
    h('button.close', { type: 'button', 'aria-label': 'Dismiss', onclick: gone }, '×'),
  );
  const all = document.querySelector('#notices');
  all.prepend(notice);
  while (all.children.length > MOST) all.lastElementChild.remove();
}
