/** Where one writes: a field, a mention that can be taken out, and what is replied to. */
import { h } from './dom.js';

const COMMAND = /^\/(ask|research|jobs)(?:\s+|$)/;
/** Written by hand, it means what the chip means. */
const MENTION = /^@footnote\s+/i;

export function createComposer({ platform, kind, onSend }) {
  let mention = true;
  let reply = null;
  let place = null;
  let settings = { isDm: false, mentions: false, examples: [] };
  const drafts = new Map();

  const field = h('textarea', { rows: '1', 'aria-label': 'Message', oninput: update, onkeydown });
  const chip = h('button.chip', { type: 'button', onclick: () => toggle() });
  const quoted = h('p.quoted', { hidden: true });
  const sendButton = h('button.send', { type: 'submit', 'aria-label': 'Send', title: 'Send (Enter)' }, '➤');
  const examples = h('div.examples');
  const hasCommands = kind === 'channel' || platform === 'discord';
  const where = hasCommands ? '/ask, /research and /jobs work too' : 'research: … and !jobs behind a mention';
  const hint = h('p.hint', {}, `Enter sends · Shift+Enter for a new line · ${where}`);
  const box = h('div.box', {}, chip, field, sendButton);
  const element = h(
    'form.composer',
    { onsubmit: send, 'data-platform': platform },
    examples,
    quoted,
    box,
    hint,
  );

  function toggle() {
    mention = !mention;
    update();
    field.focus();
  }

  function update() {
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight, 160)}px`;
    chip.hidden = settings.isDm || COMMAND.test(field.value);
    chip.textContent = mention ? '@footnote ×' : '+ @footnote';
    chip.classList.toggle('off', !mention);
    const label = mention ? 'Footnote is mentioned. Take the mention out' : 'Mention footnote';
    chip.setAttribute('aria-label', label);
    chip.title = label;
    sendButton.disabled = field.value.trim() === '';
    drafts.set(place, field.value);
  }

  function onkeydown(event) {
    if (event.key === 'Escape' && reply !== null) replyTo(null);
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    element.requestSubmit();
  }

  async function send(event) {
    event.preventDefault();
    const text = field.value.trim();
    if (text === '') return;
    const command = COMMAND.exec(text)?.[1] ?? null;
    const said = {
      text: command ? text.replace(COMMAND, '') : text.replace(MENTION, ''),
      mention: !settings.isDm && (mention || MENTION.test(text)),
      command,
      repliesTo: reply?.id ?? null,
    };
    field.value = '';
    const target = reply;
    replyTo(null);
    if (await onSend(said)) {
      mention = settings.mentions;
      update();
      return;
    }
    field.value = text;
    replyTo(target);
  }

  function replyTo(message) {
    reply = message;
    quoted.hidden = message === null;
    const cancel = h(
      'button',
      { type: 'button', 'aria-label': 'Do not reply', onclick: () => replyTo(null) },
      '×',
    );
    quoted.replaceChildren(...(message ? [`Replying to ${message.author.name} `, cancel] : []));
    update();
    if (message) field.focus();
  }

  function fillExamples(texts) {
    if (examples.dataset.filled === texts.join()) return;
    examples.dataset.filled = texts.join();
    examples.replaceChildren(
      ...texts.map((text) => h('button', { type: 'button', onclick: () => propose(text) }, text)),
    );
  }

  function propose(text) {
    field.value = text;
    update();
    field.focus();
  }

  return {
    element,
    focus: () => field.focus(),
    isWriting: () => field.value !== '',
    replyTo,
    show(next) {
      const isElsewhere = place !== next.place;
      if (isElsewhere || next.mentions !== settings.mentions) mention = next.mentions;
      settings = next;
      field.placeholder = next.placeholder;
      field.setAttribute('aria-label', next.placeholder);
      fillExamples(next.examples);
      if (!isElsewhere) return update();
      place = next.place;
      field.value = drafts.get(place) ?? '';
      replyTo(null);
    },
  };
}
