/** A kind of message as Slack shows it, and what a person reads in it. */
export interface Shape {
  readonly name: string;
  readonly message: Readonly<Record<string, unknown>>;
  /** Phrases that the model must read, each exactly once. */
  readonly words: readonly string[];
  /** Names of its files, told beside the words. */
  readonly files?: readonly string[];
}

export const GRACE = 'U0000GRACE';

export const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });
export const plain = (text: string) => ({ type: 'plain_text', text, emoji: true });
export const section = (text: string, rest: object = {}) => ({
  type: 'section',
  text: mrkdwn(text),
  ...rest,
});
export const header = (text: string) => ({ type: 'header', text: plain(text) });
export const context = (...texts: string[]) => ({ type: 'context', elements: texts.map(mrkdwn) });
export const button = (label: string) => ({ type: 'button', action_id: label, text: plain(label) });
export const actions = (...elements: object[]) => ({ type: 'actions', elements });
export const text = (words: string, style?: object) => ({
  type: 'text',
  text: words,
  ...(style && { style }),
});
export const rich = (...elements: object[]) => ({ type: 'rich_text', elements });
export const line = (...elements: object[]) => ({ type: 'rich_text_section', elements });
export const cell = (words: string) => ({ type: 'raw_text', text: words });
export const table = (...rows: (string | object)[][]) => ({
  type: 'table',
  rows: rows.map((row) => row.map((one) => (typeof one === 'string' ? cell(one) : one))),
});
/** How Slack sends a table that a person has pasted. */
export const pasted = (...tables: object[]) => [
  { id: 1, fallback: '[no preview available]', blocks: tables },
];
export const file = (name: string, rest: object = {}) => ({
  id: 'F0001',
  name,
  title: name,
  mimetype: 'application/octet-stream',
  size: 1_000,
  mode: 'hosted',
  url_private: `https://files.example/F0001/${name}`,
  ...rest,
});

export function byGrace(shape: Shape): Shape {
  return { ...shape, message: { user: GRACE, ...shape.message } };
}

/** By an app of the old kind (a webhook) and of the new (with a user of its own), in turn. */
export function byApp(shape: Shape, index: number): Shape {
  const app = { bot_id: 'B0ALERTS01', app_id: 'A0ALERTS01' };
  const old = { subtype: 'bot_message', username: 'Alerts', ...app };
  const profile = {
    id: app.bot_id,
    app_id: app.app_id,
    name: 'Alerts',
    deleted: false,
    team_id: 'T0HARBOR01',
  };
  const author = index % 2 === 0 ? old : { user: 'U0ALERTS01', bot_profile: profile, ...app };
  return { ...shape, message: { ...author, ...shape.message } };
}
