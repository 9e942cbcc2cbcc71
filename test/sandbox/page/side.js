/** One platform: its people, its channels, the open channel and the open thread. */
import { act } from './acting.js';
import { createComposer } from './composer.js';
import { h } from './dom.js';
import { openFile } from './file-viewer.js';
import { linkedPlace } from './links.js';
import { createMessageList } from './message-list.js';

const NAMES = { slack: 'Slack', discord: 'Discord' };

export function createSide(platform, root) {
  const view = remembered(platform);
  let side = null;
  /** What was just asked: its thread is opened as soon as something happens there. */
  let awaited = null;

  const person = h('select', {
    'aria-label': `Write on ${NAMES[platform]} as`,
    onchange: () => change({ person: person.value }),
  });
  const dot = h('span.dot');
  const channels = h('nav.channels', { 'aria-label': `${NAMES[platform]} channels` });
  const channel = createPane('channel');
  const thread = createPane('thread');
  root.append(
    h(
      'header.side-top',
      {},
      h('h2', {}, dot, NAMES[platform], h('small', {}, '')),
      h('label', {}, 'Writing as ', person),
    ),
    h('div.panes', {}, channels, channel.element, thread.element),
  );

  function createPane(kind) {
    const title = h('h3');
    const note = h('p.note', { hidden: true });
    const activity = h('p.activity', { role: 'status' });
    const list = createMessageList({ kind, onAbout, onPress, onReply, onOpen: openThread, onStop });
    const composer = createComposer({ platform, kind, onSend: (said) => send(kind, said) });
    const back = h(
      'button.back',
      { type: 'button', onclick: () => change({ thread: null }), 'aria-label': 'Close the thread' },
      '←',
    );
    const top = h('header.pane-top', {}, kind === 'thread' ? back : null, title);
    const element = h(`div.pane.${kind}`, {}, top, note, list.element, activity, composer.element);
    return { element, title, note, activity, list, composer };
  }

  function change(next) {
    Object.assign(view, next);
    localStorage.setItem(`footnote-${platform}`, JSON.stringify(view));
    render();
  }

  function openThread(id) {
    change({ thread: id });
    thread.composer.focus();
  }

  async function send(kind, { text, mention, command, repliesTo }) {
    const place = {
      platform,
      user: view.person,
      channel: view.channel,
      thread: kind === 'thread' ? view.thread : null,
    };
    const since = newest();
    const answer = command
      ? await act({ do: 'command', command, ...place, text })
      : await act({ do: 'say', ...place, text, mention, repliesTo });
    if (answer && kind === 'channel' && command !== 'jobs')
      awaited = { id: answer.id, channel: place.channel, since };
    return answer !== null;
  }

  function newest() {
    return side.messages.reduce((latest, message) => Math.max(latest, message.at), 0);
  }

  function onAbout(message) {
    awaited = { id: message.thread ?? message.id, channel: message.channel, since: newest() };
    void act({
      do: 'about',
      platform,
      user: view.person,
      channel: message.channel,
      thread: message.thread,
      message: message.id,
    });
  }

  function onPress(message, button) {
    const { channel, thread, id } = message;
    void act({
      do: 'press',
      platform,
      user: view.person,
      channel,
      thread,
      message: id,
      action: button.action,
      value: button.value,
    });
  }

  function onStop({ channel, thread }) {
    void act({ do: 'stop', user: view.person, channel, thread });
  }

  function onReply(message) {
    if (platform === 'slack') return openThread(message.thread ?? message.id);
    (view.thread === null ? channel : thread).composer.replyTo(message);
  }

  /** Links into the conversations, and to their files, lead there instead of to servers that do not exist. */
  root.addEventListener('click', (event) => {
    const href = event.target.closest?.('a[href]')?.href;
    if (!href) return;
    const file = side.messages.flatMap(({ files }) => files).find(({ link }) => link === href);
    const place = linkedPlace(href, side);
    if (!file && !place) return;
    event.preventDefault();
    if (file) void openFile(file);
    else goTo(place);
  });

  function goTo({ channel: to, thread: inThread, message }) {
    document.querySelector(`.tabs [data-tab="${platform}"]`).click();
    change({ channel: to, thread: inThread });
    (inThread === null ? channel : thread).list.reveal(message);
  }

  /** Opens the thread of what was just asked once the answer, or a sign of it, is there. */
  function follow() {
    // Nobody's half-written next message is taken from under their hands.
    if (awaited === null || view.thread !== null || channel.composer.isWriting()) return;
    const { channel: place, since } = awaited;
    if (awaited.id === null) {
      const root = side.messages.find(
        (one) =>
          one.channel === place &&
          one.thread === null &&
          one.at > since &&
          one.author.kind === 'bot' &&
          one.onlyFor === null,
      );
      if (root) awaited.id = root.id;
    }
    const isAlive = (one) =>
      one.channel === place && one.thread === awaited.id && (one.at ?? Infinity) > since;
    if (awaited.id === null || place !== view.channel) return;
    if (![...side.messages, ...side.activities].some(isAlive)) return;
    view.thread = awaited.id;
    awaited = null;
  }

  function render() {
    if (side === null) return;
    const hadFocus = [channel, thread].some(({ element }) => element.contains(document.activeElement));
    settle();
    follow();
    dot.dataset.state = side.connected ? 'ready' : 'down';
    dot.title = side.connected ? 'The service is connected' : 'The service is not connected';
    root.querySelector('h2 small').textContent = side.workspace;
    fillPeople();
    fillChannels();
    root.classList.toggle('in-thread', view.thread !== null);
    const here = side.channels.find(({ id }) => id === view.channel);
    fillPane(channel, here, null);
    thread.element.hidden = view.thread === null;
    if (view.thread !== null) fillPane(thread, here, view.thread);
    const holder = document.activeElement;
    if (hadFocus && (holder === document.body || !holder?.checkVisibility()))
      (view.thread === null ? channel : thread).composer.focus();
  }

  /** Makes the view one that exists: other people, channels and threads may have been there before. */
  function settle() {
    if (!side.people.some(({ id }) => id === view.person)) view.person = side.people[0].id;
    const mine = side.channels.filter(({ owner }) => owner === null || owner === view.person);
    const isDm = side.channels.find(({ id }) => id === view.channel)?.kind === 'dm';
    if (!mine.some(({ id }) => id === view.channel)) {
      view.channel = (isDm ? mine.find(({ kind }) => kind === 'dm') : mine[0]).id;
      view.thread = null;
    }
    const isThere = [...side.messages, ...side.threads].some(
      (one) => one.channel === view.channel && one.id === view.thread,
    );
    if (!isThere) view.thread = null;
  }

  function fillPeople() {
    const wanted = side.people.map(({ id, name }) => `${id}${name}`).join();
    if (person.dataset.filled !== wanted) {
      person.replaceChildren(...side.people.map(({ id, name }) => h('option', { value: id }, name)));
      person.dataset.filled = wanted;
    }
    person.value = view.person;
  }

  function fillChannels() {
    const mine = side.channels.filter(({ owner }) => owner === null || owner === view.person);
    const wanted = JSON.stringify([mine, view.channel]);
    if (channels.dataset.filled === wanted) return;
    channels.dataset.filled = wanted;
    const hadFocus = channels.contains(document.activeElement);
    channels.replaceChildren(...mine.map((one) => channelButton(one)));
    if (hadFocus) channels.querySelector('[aria-current]').focus();
  }

  function channelButton({ id, name, kind }) {
    const open = () => change({ channel: id, thread: null });
    const sign = h('span.sign', { 'aria-hidden': 'true' }, kind === 'dm' ? '@' : '#');
    const current = id === view.channel ? 'true' : null;
    const label = kind === 'dm' ? `Direct messages with ${name}` : null;
    return h(
      'button',
      { type: 'button', onclick: open, 'aria-current': current, 'aria-label': label },
      sign,
      name,
    );
  }

  function fillPane(pane, here, threadId) {
    const isDm = here.kind === 'dm';
    const sign = isDm ? '@' : '#';
    const named = side.threads.find(({ id }) => id === threadId)?.name;
    pane.title.textContent =
      threadId === null ? `${sign} ${here.name}` : named ? named : `Thread in ${sign}${here.name}`;
    pane.note.hidden = threadId !== null || here.note === null;
    pane.note.textContent = here.note ?? '';
    const isMine = (one) => one.channel === here.id && (one.onlyFor ?? view.person) === view.person;
    const shown = side.messages.filter(
      (one) => isMine(one) && (one.thread === threadId || (threadId !== null && one.id === threadId)),
    );
    const context = {
      side,
      view,
      replies: threadId === null ? repliesIn(here.id) : new Map(),
      platform,
      welcome: welcome(here),
    };
    pane.list.show(`${here.id}/${threadId}/${view.person}`, shown, context);
    const activity = side.activities.find((one) => one.channel === here.id && one.thread === threadId);
    pane.activity.textContent = activity ? `${side.bot.name} ${activity.text}` : '';
    pane.composer.show({
      place: `${here.id}/${threadId}`,
      isDm,
      placeholder: isDm
        ? `Ask ${side.bot.name}`
        : threadId === null
          ? `Ask in #${here.name}`
          : 'Follow up in the thread',
      mentions:
        !isDm &&
        (threadId === null ||
          !shown.some(({ author }) => author.id === side.bot.id || author.name === side.bot.name)),
      examples: threadId === null && shown.length === 0 ? examples(side.isScripted) : [],
    });
  }

  /** Root id → how many replies, and what happens there now. */
  function repliesIn(channelId) {
    const replies = new Map();
    const of = (id) => replies.get(id) ?? replies.set(id, { count: 0, activity: null, name: null }).get(id);
    for (const one of side.threads) if (one.channel === channelId) of(one.id).name = one.name;
    for (const one of side.messages) {
      if (one.channel !== channelId || one.thread === null || one.id === one.thread) continue;
      if ((one.onlyFor ?? view.person) !== view.person) continue;
      of(one.thread).count++;
      if (one.streaming) of(one.thread).activity = 'is writing…';
    }
    for (const one of side.activities) {
      if (one.channel === channelId && one.thread !== null) of(one.thread).activity = one.text;
    }
    return replies;
  }

  return {
    show(next) {
      side = next;
      render();
    },
    goTo,
    /** Whether this new message notifies whoever writes here, who is looking elsewhere. */
    notifies: (message) =>
      message.pings.includes(view.person) &&
      (message.channel !== view.channel || message.thread !== view.thread || !root.checkVisibility()),
  };
}

function welcome({ kind, name }) {
  if (kind === 'dm')
    return ['Just you and Footnote', 'No mention is needed here: whatever you write is answered.'];
  return [
    `Nothing said in #${name} yet`,
    'Mention @footnote with a question. It answers in a thread, with sources, and remembers what was said there. /research takes longer and ends in a report.',
  ];
}

function examples(isScripted) {
  if (!isScripted)
    return [
      'What changed in the EU AI Act this month?',
      'Compare heat pumps and gas boilers in a table',
      '/research How do cities cool their streets? --effort low',
    ];
  return [
    'How did the tidal plants do in their first year?',
    'Compare the three sites in a table',
    '/research How do cities cool their streets? --effort low',
    'What happens when the answer breaks off? fault:cut',
  ];
}

function remembered(platform) {
  const nothing = { person: null, channel: null, thread: null };
  try {
    return { ...nothing, ...JSON.parse(localStorage.getItem(`footnote-${platform}`) ?? '{}') };
  } catch {
    return nothing;
  }
}
