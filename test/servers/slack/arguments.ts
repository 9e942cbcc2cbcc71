/**
 * The arguments of every method the stand-in knows. Slack ignores unknown ones; here they are `invalid_arguments`, so that
 * a misspelt or misplaced argument is found.
 */
import { SlackError } from './types.ts';

type Kind = 'string' | 'boolean' | 'number' | 'json';
export type Args = Readonly<Record<string, unknown>>;

interface Method {
  readonly required: Readonly<Record<string, Kind>>;
  readonly optional?: Readonly<Record<string, Kind>>;
  /** Which token it wants. */
  readonly app?: true;
}

const CHANNEL = { channel: 'string' } as const;
const MESSAGE = { channel: 'string', ts: 'string' } as const;
const CONTENT = { text: 'string', blocks: 'json', markdown_text: 'string', attachments: 'json' } as const;
const PARSING = { parse: 'string', link_names: 'boolean' } as const;
const AUTHOR = { username: 'string', icon_emoji: 'string', icon_url: 'string' } as const;
const PAGING = {
  cursor: 'string',
  limit: 'number',
  oldest: 'string',
  latest: 'string',
  inclusive: 'boolean',
  include_all_metadata: 'boolean',
} as const;
const STREAM = { markdown_text: 'string', chunks: 'json' } as const;

const METHODS: Readonly<Record<string, Method>> = {
  'auth.test': { required: {} },
  'apps.connections.open': { required: {}, app: true },
  'chat.postMessage': {
    required: CHANNEL,
    optional: {
      ...CONTENT,
      ...PARSING,
      ...AUTHOR,
      thread_ts: 'string',
      reply_broadcast: 'boolean',
      metadata: 'json',
      unfurl_links: 'boolean',
      unfurl_media: 'boolean',
      mrkdwn: 'boolean',
    },
  },
  'chat.update': {
    required: MESSAGE,
    optional: { ...CONTENT, ...PARSING, metadata: 'json', reply_broadcast: 'boolean', file_ids: 'json' },
  },
  'chat.delete': { required: MESSAGE },
  'chat.postEphemeral': {
    required: { ...CHANNEL, user: 'string' },
    optional: { ...CONTENT, ...PARSING, ...AUTHOR, thread_ts: 'string' },
  },
  'chat.getPermalink': { required: { ...CHANNEL, message_ts: 'string' } },
  'chat.startStream': {
    required: { ...CHANNEL, thread_ts: 'string' },
    optional: {
      ...STREAM,
      ...AUTHOR,
      recipient_user_id: 'string',
      recipient_team_id: 'string',
      task_display_mode: 'string',
    },
  },
  'chat.appendStream': { required: MESSAGE, optional: STREAM },
  'chat.stopStream': {
    required: MESSAGE,
    optional: { ...STREAM, blocks: 'json', metadata: 'json', session_status: 'string' },
  },
  'conversations.replies': { required: MESSAGE, optional: PAGING },
  'conversations.history': { required: CHANNEL, optional: PAGING },
  'conversations.info': {
    required: CHANNEL,
    optional: { include_locale: 'boolean', include_num_members: 'boolean' },
  },
  'conversations.open': {
    required: {},
    optional: { channel: 'string', users: 'string', return_im: 'boolean', prevent_creation: 'boolean' },
  },
  'files.getUploadURLExternal': {
    required: { filename: 'string', length: 'number' },
    // The reference says `alt_txt`, the SDK sends `alt_text`.
    optional: { snippet_type: 'string', alt_txt: 'string', alt_text: 'string' },
  },
  'files.completeUploadExternal': {
    required: { files: 'json' },
    optional: {
      channel_id: 'string',
      channels: 'string',
      thread_ts: 'string',
      initial_comment: 'string',
      blocks: 'json',
    },
  },
  'files.info': {
    required: { file: 'string' },
    optional: { count: 'number', cursor: 'string', limit: 'number', page: 'number' },
  },
  'users.info': { required: { user: 'string' }, optional: { include_locale: 'boolean' } },
  'reactions.add': { required: { ...CHANNEL, timestamp: 'string', name: 'string' } },
  'reactions.remove': { required: { name: 'string' }, optional: { channel: 'string', timestamp: 'string' } },
  'assistant.threads.setStatus': {
    required: { channel_id: 'string', thread_ts: 'string', status: 'string' },
    optional: { ...AUTHOR, loading_messages: 'json' },
  },
  'agents.sessions.setStatus': {
    required: { status: 'string' },
    optional: {
      ...AUTHOR,
      channel_id: 'string',
      thread_ts: 'string',
      title: 'string',
      initiator_user_id: 'string',
    },
  },
  'views.open': {
    required: { view: 'json' },
    optional: { trigger_id: 'string', interactivity_pointer: 'string' },
  },
};

/** Added by web-api and Bolt to every call. */
const ALWAYS = { token: 'string', team_id: 'string' } as const;

export function isKnownMethod(name: string): boolean {
  return Object.hasOwn(METHODS, name);
}

export function wantsAppToken(name: string): boolean {
  return METHODS[name]?.app === true;
}

/** Types what came over the wire: form fields are strings, JSON bodies already have types. Nothing is checked here. */
export function decodeArguments(name: string, raw: Args): Args {
  const kinds = kindsOf(name);
  return Object.fromEntries(
    Object.entries(raw)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => [key, typeof value === 'string' ? decode(kinds[key], value) : value]),
  );
}

/** @throws {SlackError} `invalid_arguments` naming every unknown, missing or mistyped argument. */
export function checkArguments(name: string, args: Args): void {
  const kinds = kindsOf(name);
  const faults = Object.entries(args).flatMap(([key, value]) => {
    const kind = kinds[key];
    if (kind === undefined) return [`[ERROR] unknown argument: ${key}`];
    return isOfKind(kind, value) ? [] : [`[ERROR] must be a ${kind}: ${key}`];
  });
  const missing = Object.keys(METHODS[name]?.required ?? {}).filter(
    (key) => args[key] === undefined || (args[key] === '' && key !== 'status'),
  );
  faults.push(...missing.map((key) => `[ERROR] missing required field: ${key}`));
  if (faults.length > 0) throw new SlackError('invalid_arguments', ...faults);
}

/** A string argument, or undefined. */
export function text(args: Args, key: string): string | undefined {
  const value = args[key];
  return typeof value === 'string' ? value : undefined;
}

function kindsOf(name: string): Readonly<Record<string, Kind>> {
  const method = METHODS[name];
  return { ...ALWAYS, ...method?.required, ...method?.optional };
}

function decode(kind: Kind | undefined, value: string): unknown {
  if (kind === 'boolean') return { true: true, '1': true, false: false, '0': false }[value] ?? value;
  if (kind === 'number') return value !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  if (kind !== 'json') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // not JSON: the method refuses a string here
  }
}

function isOfKind(kind: Kind, value: unknown): boolean {
  // What is no JSON is refused by the method, with its own code (`invalid_blocks_format`, …).
  if (kind === 'json') return true;
  return typeof value === kind;
}
