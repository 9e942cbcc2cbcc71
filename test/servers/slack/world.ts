/** The fixed world the stand-in plays in: one workspace, its people and its channels. */
import type { Channel, Person } from './types.ts';

export const TEAM = { id: 'T0HARBOR01', name: 'Harbor', domain: 'harbor' } as const;
export const PARTNER_TEAM = 'T0PARTNER1';
export const BOT = { user: 'U0FOOTNOTE', id: 'B0FOOTNOTE', app: 'A0FOOTNOTE', name: 'footnote' } as const;
export const OTHER_BOT = { user: 'U0OTHERBOT', id: 'B0OTHERBOT', app: 'A0OTHERBOT', name: 'builds' } as const;
/** Who Slack's own notices come from in the conversation with the bot. */
export const SLACK = 'USLACK';

const people: Person[] = [
  { id: 'U000000ADA', name: 'ada', team: TEAM.id },
  { id: 'U0000GRACE', name: 'grace', team: TEAM.id },
  { id: 'U0000LINUS', name: 'linus', team: TEAM.id },
  { id: 'U00000OTTO', name: 'otto', team: PARTNER_TEAM },
];

export const PEOPLE: readonly Person[] = people;

const LOCALS = PEOPLE.filter((person) => person.team === TEAM.id).map((person) => person.id);
const EVERYONE = PEOPLE.map((person) => person.id);

const open = (id: string, name: string, members: readonly string[], shared = false): Channel => ({
  id,
  name,
  kind: 'channel',
  members,
  archived: false,
  shared,
});

const channels: Channel[] = [
  open('C00GENERAL', 'general', [...LOCALS, BOT.user]),
  open('C000RANDOM', 'random', [...LOCALS, BOT.user]),
  open('C0PARTNERS', 'partners', [...EVERYONE, BOT.user], true),
  { ...open('C0ARCHIVED', 'old-news', [...LOCALS, BOT.user]), archived: true },
  open('C00PRIVATE', 'without-bot', LOCALS),
  ...PEOPLE.map(
    (person): Channel => ({
      id: dmId(person.id),
      name: `dm-${person.name}`,
      kind: 'im',
      members: [person.id, BOT.user],
      archived: false,
      shared: person.team !== TEAM.id,
    }),
  ),
];

export const CHANNELS: readonly Channel[] = channels;

/** More people and channels, `person-0` and `channel-0` the first, for loads as large workspaces have them. Everybody is in each. */
export function addCrowd(crowd: { readonly people: number; readonly channels: number }): void {
  for (let n = 0; n < crowd.people; n++) {
    const person = { id: `U00CROWD${n}`, name: `person-${n}`, team: TEAM.id };
    if (!findPerson(person.id)) people.push(person);
  }
  const members = [BOT.user, ...PEOPLE.filter(({ team }) => team === TEAM.id).map(({ id }) => id)];
  for (let n = 0; n < crowd.channels; n++) {
    const channel = open(`C00CROWD${n}`, `channel-${n}`, members);
    if (!findChannel(channel.id)) channels.push(channel);
  }
}

/** The DM channel between a person and the bot. */
export function dmId(user: string): string {
  return `D${user.slice(1)}`;
}

export function findChannel(id: unknown): Channel | undefined {
  return CHANNELS.find((channel) => channel.id === id);
}

export function findPerson(id: unknown): Person | undefined {
  return PEOPLE.find((person) => person.id === id);
}

/** Whether the bot is a member. */
export function hasBot(channel: Channel): boolean {
  return channel.members.includes(BOT.user);
}
