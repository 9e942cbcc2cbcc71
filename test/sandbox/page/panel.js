/** The panel with which one breaks things on purpose, and tells research how long to take. */
import { act } from './acting.js';
import { h } from './dom.js';

const BREAKS = [
  ['kill', 'Kill the service', 'kill -9, as a crash would; it starts again after a second'],
  ['kill-and-hold', 'Kill it and wait', 'kill -9, and it stays down until you start it'],
  ['start', 'Start it again', 'what was asked or finished meanwhile is made up for'],
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
const RESEARCH_FAULTS = [
  ['job-failed', 'It fails at Perplexity'],
  ['job-stuck', 'It is never over (told after 5 min)'],
  ['job-null', 'It is over, but without a report'],
  ['job-expired', 'It is forgotten as soon as it is over'],
  ['job-cancelled', 'Somebody else cancels it'],
  ['job-flapping', 'Its status goes back and forth'],
  ['job-incomplete', 'It stops at its length limit'],
  ['lost', 'Begun, but the answer gets lost'],
  ['500', 'Handing it in meets a server error once'],
  ['402', 'Out of credit (402)'],
  ['400', 'The request is refused (400)'],
  ['look-404', 'It is unknown for three looks'],
  ['look-500', 'Three looks meet a server error'],
];
/** Seconds that the research of one job takes here. */
const LENGTHS = [10, 30, 120];

export function fillPanel(root) {
  const done = h('p.small', { role: 'status' });
  const doing = async (action, text) => {
    if (await act(action)) done.textContent = text;
  };
  const rows = BREAKS.map(([what, label, note]) =>
    h(
      'li',
      {},
      h('button', { type: 'button', onclick: () => doing({ do: 'break', what }, `Done: ${label}.`) }, label),
      h('span.small', {}, note),
    ),
  );
  const answer = chooser('What happens to the next answer', FAULTS);
  const breakAnswer = button('Break the next answer', () =>
    doing({ do: 'break-answer', fault: answer.value }, 'The next answer will meet this.'),
  );
  const research = chooser('What happens to the next research', RESEARCH_FAULTS);
  const breakResearch = button('Break the next research', () =>
    doing({ do: 'break-research', fault: research.value }, 'The next research will meet this.'),
  );
  let takesMs = 0;
  const lengths = LENGTHS.map((seconds) => [seconds, seconds < 60 ? `${seconds} s` : `${seconds / 60} min`]);
  const length = chooser('How long research takes here', lengths);
  length.addEventListener('change', () => {
    const speed = takesMs / (Number(length.value) * 1_000);
    void doing({ do: 'research-speed', speed }, 'From the next research on.');
  });
  const finish = button('End running research now', () =>
    doing({ do: 'finish-research' }, 'It is over upstream. The next look will find the report.'),
  );
  const pace = h('label', {}, '', length);
  const controls = [answer, breakAnswer, research, breakResearch, length, finish];
  const perplexity = h(
    'div',
    {},
    h('div.row', {}, answer, breakAnswer),
    h('div.row', {}, research, breakResearch),
    h('div.row', {}, pace, finish),
  );
  root.append(
    h('h3', {}, 'Break something'),
    h('p.small', {}, 'Ask something first, then see what a person sees when this goes wrong.'),
    h('ul', {}, ...rows),
    h('h3', {}, 'Perplexity'),
    perplexity,
    done,
  );

  return {
    show({ kind, research: known }) {
      for (const control of controls) control.disabled = kind === 'real';
      perplexity.title = kind === 'real' ? 'The real API is in use: it cannot be broken from here.' : '';
      pace.hidden = known === null;
      if (known === null) return;
      takesMs = known.takesMs;
      pace.firstChild.textContent = `Research of ${takesMs / 60_000} min takes here `;
      length.value = `${takesMs / known.speed / 1_000}`;
    },
  };
}

function chooser(label, options) {
  return h(
    'select',
    { 'aria-label': label },
    ...options.map(([value, text]) => h('option', { value }, text)),
  );
}

function button(label, onclick) {
  return h('button', { type: 'button', onclick }, label);
}
