/** Keeps the page's copy of the state and tells the sides when it changed. */
import { announce } from './announcing.js';
import { notify } from './notices.js';
import { fillPanel } from './panel.js';
import { createSide } from './side.js';

const sides = {
  slack: createSide('slack', document.querySelector('#slack')),
  discord: createSide('discord', document.querySelector('#discord')),
};
const messages = { slack: new Map(), discord: new Map() };
const panel = fillPanel(document.querySelector('#break'));

const changes = new EventSource('/api/changes');
changes.addEventListener('state', ({ data }) => {
  const state = JSON.parse(data);
  for (const name of Object.keys(sides)) {
    messages[name] = new Map(state[name].messages.map((message) => [keyOf(message), message]));
  }
  show(state);
});
changes.addEventListener('changes', ({ data }) => {
  const state = JSON.parse(data);
  for (const name of Object.keys(sides)) {
    for (const key of state[name].removed) messages[name].delete(key);
    for (const message of state[name].changed) {
      const before = messages[name].get(keyOf(message));
      announce(before, message, state[name]);
      messages[name].set(keyOf(message), message);
      if (!before) pop(name, message, state[name]);
    }
  }
  show(state);
});
changes.addEventListener('error', () =>
  pill('#service', 'down', 'The sandbox has ended. Start it again: npm run sandbox'),
);

function show(state) {
  const { service, model } = state;
  const words = { ready: 'Service is running', starting: 'Service is starting…', down: 'Service is down' };
  const note = service.note ? `: ${service.note}` : '';
  pill('#service', service.state, words[service.state] + note);
  const isReal = model.kind === 'real';
  pill('#model', 'quiet', isReal ? 'Answers: real Perplexity API' : 'Answers: scripted stand-in').title =
    model.url;
  panel.show(model);
  for (const [name, side] of Object.entries(sides)) {
    const sorted = [...messages[name].values()].sort((a, b) => a.at - b.at);
    side.show({ ...state[name], messages: sorted, isScripted: !isReal });
  }
}

function pop(name, message, side) {
  if (!sides[name].notifies(message)) return;
  const { kind, name: channel } = side.channels.find(({ id }) => id === message.channel);
  const where = kind === 'dm' ? 'a direct message' : `#${channel}`;
  const title = `${message.author.name} in ${where} on ${name === 'slack' ? 'Slack' : 'Discord'}`;
  const place = { channel: message.channel, thread: message.thread, message: message.id };
  notify(title, message, side, () => sides[name].goTo(place));
}

function keyOf({ channel, id }) {
  return `${channel}/${id}`;
}

function pill(selector, state, text) {
  const element = document.querySelector(selector);
  if (element.textContent !== text) element.textContent = text;
  element.title = text;
  element.dataset.state = state;
  return element;
}

for (const tab of document.querySelectorAll('[data-tab]:is(button)')) {
  tab.addEventListener('click', () => {
    document.querySelector('#sides').dataset.tab = tab.dataset.tab;
    for (const other of document.querySelectorAll('.tabs button')) {
      other.setAttribute('aria-pressed', String(other === tab));
    }
  });
}
