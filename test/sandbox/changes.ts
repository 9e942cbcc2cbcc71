import type { PageMessage, PageState, Side } from './page-state.ts';

/** What a page that shows the state before must change to show the state after. */
export interface Changes extends Pick<PageState, 'version' | 'service' | 'model'> {
  readonly slack: SideChanges;
  readonly discord: SideChanges;
}

interface SideChanges extends Omit<Side, 'messages'> {
  /** New messages and changed ones, whole. */
  readonly changed: readonly PageMessage[];
  /** `channel/id` of those that are gone. */
  readonly removed: readonly string[];
}

/** Compares successive states, so that a long conversation is not sent again for every word; null when nothing changed. */
export function createComparer(): (state: Omit<PageState, 'version'>) => Omit<Changes, 'version'> | null {
  const compareSlack = sideComparer();
  const compareDiscord = sideComparer();
  let before = '';
  return ({ service, model, slack, discord }) => {
    const messages = { slack: compareSlack(slack.messages), discord: compareDiscord(discord.messages) };
    const around = { service, model, slack: withoutMessages(slack), discord: withoutMessages(discord) };
    const now = JSON.stringify(around);
    const isSame = now === before && messages.slack === null && messages.discord === null;
    before = now;
    if (isSame) return null;
    return {
      ...around,
      slack: { ...around.slack, ...(messages.slack ?? NONE) },
      discord: { ...around.discord, ...(messages.discord ?? NONE) },
    };
  };
}

type MessageChanges = Pick<SideChanges, 'changed' | 'removed'>;

const NONE: MessageChanges = { changed: [], removed: [] };

function sideComparer(): (messages: readonly PageMessage[]) => MessageChanges | null {
  let known = new Map<string, string>();
  return (messages) => {
    const before = known;
    known = new Map(messages.map((message) => [`${message.channel}/${message.id}`, JSON.stringify(message)]));
    const changed = messages.filter(({ channel, id }) => {
      const key = `${channel}/${id}`;
      return before.get(key) !== known.get(key);
    });
    const removed = [...before.keys()].filter((key) => !known.has(key));
    return changed.length + removed.length === 0 ? null : { changed, removed };
  };
}

function withoutMessages({ messages: _messages, ...rest }: Side): Omit<Side, 'messages'> {
  return rest;
}
