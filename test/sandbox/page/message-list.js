/** The messages of one channel or thread. Only what changed is drawn again, so a growing answer can be read and selected. */
import { blocks } from './blocks.js';
import { arrange, h } from './dom.js';
import { openFile, sizeOf } from './file-viewer.js';
import { inline } from './inline.js';

/** A reader this close to the end, in pixels, wants to see what comes. */
const NEAR_PX = 90;

export function createMessageList({ kind, onAbout, onPress, onReply, onOpen, onStop }) {
  const items = h('ol.messages', {
    role: 'log',
    'aria-live': 'off',
    'aria-label': kind === 'thread' ? 'Thread' : 'Messages',
  });
  const welcome = h('p.welcome');
  const label = { tabindex: '0', role: 'group', 'aria-label': 'Message history' };
  const scroller = h('div.scroller', label, welcome, items);
  const more = h('button.more', { type: 'button', hidden: true, onclick: () => toEnd() }, 'New messages ↓');
  const element = h('div.list', {}, scroller, more);
  let known = new Map();
  let place = null;
  let isAtEnd = true;

  scroller.addEventListener('scroll', () => {
    isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    if (isAtEnd) more.hidden = true;
  });
  new ResizeObserver(() => isAtEnd && toEnd()).observe(scroller);

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    isAtEnd = true;
    more.hidden = true;
  }

  function draw(message, context) {
    const key = `${message.channel}/${message.id}`;
    const replies = context.replies.get(message.id) ?? null;
    const drawn = JSON.stringify([message, replies]);
    const before = known.get(key);
    if (before?.drawn === drawn) return { key, ...before, isNew: false };
    const item = before?.item ?? h('li.message', { 'data-id': message.id });
    item.className = classesOf(message, context.view.person);
    item.setAttribute('aria-busy', String(message.streaming));
    const held = item.contains(document.activeElement) ? document.activeElement.textContent : null;
    item.replaceChildren(...content(message, replies, context));
    if (held !== null) [...item.querySelectorAll('button')].find((one) => one.textContent === held)?.focus();
    return { key, drawn, item, isNew: true };
  }

  function content(message, replies, context) {
    const { author, at, edited, onlyFor, streaming } = message;
    const rulesOf = (dialect) => ({
      dialect,
      nameOf: (id) => nameIn(context.side, id),
      me: context.view.person,
    });
    const time = new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const head = h(
      'p.head',
      {},
      h('strong', {}, author.name),
      author.kind === 'bot' ? h('span.badge', {}, 'app') : null,
      h('time', { datetime: new Date(at).toISOString() }, time),
      streaming ? h('span.mark.live', {}, 'writing') : null,
      edited && !streaming ? h('span.mark', {}, 'edited') : null,
    );
    return [
      h(
        'span.avatar',
        { 'aria-hidden': 'true', 'data-who': author.kind === 'person' ? author.name : author.kind },
        author.name[0].toUpperCase(),
      ),
      h(
        'div.body',
        {},
        onlyFor === null ? null : h('p.only', {}, 'Only visible to you'),
        quoteOf(message, context, rulesOf),
        head,
        ...message.pieces.map((piece) => drawPiece(piece, message, rulesOf)),
        stopOf(message, context),
        ...message.files.map(fileOf),
        reactionsOf(message),
        replies ? threadChip(message, replies, context) : null,
      ),
      toolbar(message, context),
    ];
  }

  function drawPiece(piece, message, rulesOf) {
    if (piece.type === 'divider') return h('hr');
    if (piece.type === 'heading') return h('h4', {}, piece.text);
    if (piece.type === 'small') return h('p.small', {}, ...inline(piece.text, rulesOf(piece.dialect)));
    if (piece.type === 'text') return h('div.text', {}, ...blocks(piece.text, rulesOf(piece.dialect)));
    const buttons = piece.buttons.map((one) =>
      h('button', { type: 'button', onclick: () => onPress(message, one) }, one.label),
    );
    return h('div.buttons', {}, ...buttons);
  }

  function threadChip(message, { count, activity, name }, { side }) {
    const replies = count === 0 ? 'Open thread' : count === 1 ? '1 reply' : `${count} replies`;
    const now = activity ? h('span.now', {}, `${side.bot.name} ${activity}`) : null;
    const title = name ? `Thread: ${name}` : null;
    return h(
      'button.thread-chip',
      { type: 'button', title, onclick: () => onOpen(message.id) },
      `${replies} →`,
      now,
    );
  }

  /** Slack draws a Stop of its own while an app streams; on Discord the app's button is among the message's pieces. */
  function stopOf(message, { platform }) {
    if (platform !== 'slack' || !message.streaming || message.thread === null) return null;
    return h('div.buttons', {}, h('button', { type: 'button', onclick: () => onStop(message) }, 'Stop'));
  }

  function toolbar(message, { platform }) {
    if (message.onlyFor !== null || message.streaming) return h('div.toolbar');
    const isReply = platform === 'discord' || kind === 'channel';
    const reply = platform === 'slack' ? 'Reply in thread' : 'Reply';
    return h(
      'div.toolbar',
      {},
      isReply ? h('button', { type: 'button', onclick: () => onReply(message) }, reply) : null,
      h('button', { type: 'button', onclick: () => onAbout(message) }, 'Ask about this'),
    );
  }

  return {
    element,
    /** Brings a message into sight. */
    reveal(id) {
      const item = [...items.children].find((one) => one.dataset.id === id);
      item?.scrollIntoView({ block: 'center' });
      item?.classList.add('revealed');
    },
    /** @param where another value means another channel or thread: it is shown from its end */
    show(where, messages, context) {
      const isElsewhere = where !== place;
      if (isElsewhere) known = new Map();
      place = where;
      const drawn = messages.map((message) => draw(message, context));
      known = new Map(drawn.map((one) => [one.key, one]));
      arrange(
        items,
        drawn.map(({ item }) => item),
      );
      element.classList.toggle('empty', messages.length === 0);
      if (messages.length === 0)
        welcome.replaceChildren(h('strong', {}, context.welcome[0]), context.welcome[1]);
      if (isElsewhere || isAtEnd) toEnd();
      else if (drawn.some(({ isNew }) => isNew)) more.hidden = false;
    },
  };
}

function classesOf({ author, streaming, onlyFor, pings }, person) {
  const marks = [
    ['streaming', streaming],
    ['private', onlyFor !== null],
    ['pings', pings.includes(person)],
  ];
  return ['message', author.kind, ...marks.filter(([, is]) => is).map(([mark]) => mark)].join(' ');
}

function fileOf(file) {
  if (file.path === null) return h('p.small', {}, `Attached: ${file.name}`);
  const label = `Open ${file.name}`;
  return h(
    'div.file',
    {},
    h(
      'button.open',
      { type: 'button', 'aria-label': label, title: label, onclick: () => void openFile(file) },
      h('span.sheet', { 'aria-hidden': 'true' }, 'MD'),
      h('strong', {}, file.name),
      h('span.small', {}, sizeOf(file)),
    ),
    h(
      'a.button',
      { href: file.path, download: file.name, 'aria-label': `Download ${file.name}` },
      'Download',
    ),
  );
}

function reactionsOf({ reactions }) {
  if (reactions.length === 0) return null;
  return h('p.reactions', {}, ...reactions.map(({ emoji, count }) => h('span', {}, `${emoji} ${count}`)));
}

function quoteOf({ repliesTo, channel }, { side }, rulesOf) {
  if (repliesTo === null) return null;
  const quoted = side.messages.find((one) => one.id === repliesTo && one.channel === channel);
  const text = quoted?.pieces.find((piece) => piece.type === 'text');
  if (!text) return h('p.quote-line', {}, 'replying to a message that is gone');
  const line = text.text.split('\n')[0].slice(0, 120);
  return h(
    'p.quote-line',
    {},
    h('strong', {}, quoted.author.name),
    ' ',
    ...inline(line, { ...rulesOf(text.dialect), isLabel: true }),
  );
}

/** What a mention of this id reads; null when nobody has it. */
export function nameIn({ bot, people, channels }, id) {
  return [bot, ...people, ...channels].find((one) => one.id === id)?.name ?? null;
}
