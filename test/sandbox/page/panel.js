/** The panel with which one breaks things on purpose. */
import { act } from './acting.js';
import { h } from './dom.js';

const BREAKS = [
  ['kill', 'Kill the service', 'kill -9, as a crash would; it starts again after a second'],
  ['restart', 'Restart the service', 'SIGTERM: running answers are finished or taken up again'],
  ['slack-sockets', 'Cut Slack’s sockets', 'both connections drop without a word'],
  ['slack-limit', 'Rate-limit Slack', 'its next call is refused for 5 seconds'],
  ['discord-gateway', 'Close Discord’s gateway', 'close code 4000: the session is resumed'],
  ['discord-limit', 'Rate-limit Discord', 'its next call is refused for 5 seconds'],
];
const FAULTS = [
  ['429', 'Too many requests (429)'],
  ['500', 'Server error (500)'],
  ['402', 'Out of credit (402)'],
  ['cut', 'Connection cut in the middle'],
  ['clean-cut', 'Stream ends without a finish'],
  ['malformed', 'Broken JSON in the middle'],
  ['silence', 'Silence in the middle'],
  ['length', 'Stopped at the length limit'],
];

export function fillPanel(root) {
  const fault = h(
    'select',
    { 'aria-label': 'What happens to the next answer' },
    ...FAULTS.map(([value, label]) => h('option', { value }, label)),
  );
  const arm = h(
    'button',
    { type: 'button', onclick: () => breakAnswer(fault.value) },
    'Break the next answer',
  );
  const done = h('p.small', { role: 'status' });
  const rows = BREAKS.map(([what, label, note]) =>
    h(
      'li',
      {},
      h('button', { type: 'button', onclick: () => breakIt(what, label) }, label),
      h('span.small', {}, note),
    ),
  );
  const answers = h('div.row', {}, fault, arm);
  root.append(
    h('h3', {}, 'Break something'),
    h('p.small', {}, 'Ask something first, then see what a person sees when this goes wrong.'),
    h('ul', {}, ...rows),
    h('h3', {}, 'Perplexity'),
    answers,
    done,
  );

  async function breakIt(what, label) {
    if (await act({ do: 'break', what })) done.textContent = `Done: ${label}.`;
  }
  async function breakAnswer(name) {
    if (await act({ do: 'break-answer', fault: name })) done.textContent = 'The next answer will meet this.';
  }
  return {
    show({ kind }) {
      for (const control of [fault, arm]) control.disabled = kind === 'real';
      answers.title = kind === 'real' ? 'The real API is in use: its answers cannot be broken.' : '';
    },
  };
}
