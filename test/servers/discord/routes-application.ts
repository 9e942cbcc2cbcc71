import { DiscordError, invalidField } from './errors.ts';
import { applicationFlags } from './gateway.ts';
import { channelPayload, guildPayload, memberPayload, userById, userPayload } from './payloads.ts';
import { type Answer, type Request, type Route, snowflake } from './routing.ts';
import type { Json } from './state.ts';
import { validate } from './validation.ts';
import type { World } from './world.ts';

const CHAT_INPUT_NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const MAX_BY_TYPE: Readonly<Record<number, number>> = { 1: 100, 2: 15, 3: 15, 4: 1 };
const MAX_COMMAND_TEXT = 8000;

/**
 * The routes about the application itself, its commands and people.
 * @param identifies how many sessions were started, of the 1,000 a day
 */
export function applicationRoutes(identifies: () => number): readonly Route[] {
  const scopes = ['/applications/:application/commands', '/applications/:application/guilds/:guild/commands'];
  const commands = scopes.flatMap((template): Route[] => [
    { method: 'GET', template, handle: listCommands },
    { method: 'PUT', template, handle: replaceCommands },
  ]);
  const start = (): Json => ({
    total: 1e3,
    remaining: Math.max(0, 1e3 - identifies()),
    reset_after: 864e5,
    max_concurrency: 1,
  });
  const gateway = ({ world }: Request): Answer => {
    return {
      status: 200,
      body: { url: world.gatewayUrl(), shards: world.shards, session_start_limit: start() },
    };
  };
  return [
    ...commands,
    { method: 'GET', template: '/gateway/bot', handle: gateway },
    { method: 'GET', template: '/users/@me', handle: ({ world }) => ok(userPayload(world.state.botUser)) },
    { method: 'GET', template: '/users/:user', handle: getUser },
    { method: 'POST', template: '/users/@me/channels', handle: openDm },
    { method: 'GET', template: '/applications/@me', handle: ({ world }) => ok(application(world)) },
    { method: 'GET', template: '/oauth2/applications/@me', handle: ({ world }) => ok(application(world)) },
    { method: 'POST', template: '/attachments/refresh-urls', handle: refreshUrls },
    { method: 'GET', template: '/guilds/:guild', handle: getGuild },
    { method: 'GET', template: '/guilds/:guild/roles', handle: getRoles },
    { method: 'GET', template: '/guilds/:guild/members/:user', handle: getMember },
  ];
}

/** Signs the addresses of attachments anew. */
function refreshUrls({ world, body }: Request): Answer {
  const urls = (body as { attachment_urls?: unknown }).attachment_urls;
  if (!Array.isArray(urls) || urls.length < 1 || urls.length > 50)
    throw invalidField(['attachment_urls'], 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 50.');
  const expires = Math.floor(world.now() / 1000 + 86_400).toString(16);
  const refreshed = urls.map((original: unknown) => {
    const url = new URL(String(original));
    url.searchParams.set('ex', expires);
    return { original, refreshed: url.href };
  });
  return ok({ refreshed_urls: refreshed });
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

function application(world: World): Json {
  const { applicationId, botUser } = world.state;
  return {
    id: applicationId,
    name: botUser.username,
    description: '',
    icon: null,
    bot_public: true,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: applicationFlags(world),
    bot: userPayload(botUser),
  };
}

function getUser({ world, params }: Request): Answer {
  const user = userById(world, snowflake(params['user']));
  if (!user) throw new DiscordError(10013);
  return ok(user);
}

function openDm({ world, body }: Request): Answer {
  const { recipient_id: recipient } = validate('dm', body);
  const id = snowflake(typeof recipient === 'string' ? recipient : undefined);
  const channel = world.state.channels.find((other) => other.recipient === id);
  if (!channel) throw new DiscordError(10013);
  return ok(channelPayload(world, channel));
}

function checkGuild(request: Request): void {
  if (snowflake(request.params['guild']) !== request.world.state.guild.id) throw new DiscordError(10004);
}

function getRoles(request: Request): Answer {
  const { roles } = getGuild(request).body as { readonly roles: unknown };
  return { status: 200, body: roles };
}

function getGuild(request: Request): Answer {
  checkGuild(request);
  const { channels: _channels, threads: _threads, members: _members, ...guild } = guildPayload(request.world);
  return ok(guild);
}

function getMember(request: Request): Answer {
  checkGuild(request);
  const { world, params } = request;
  const user = userById(world, snowflake(params['user']));
  if (!user) throw new DiscordError(10013);
  return ok({ ...memberPayload(world, String(user['id'])), user });
}

/** Where commands of this request are kept: `global` or the guild's id. */
function scopeOf(request: Request): string {
  const { world, params } = request;
  if (snowflake(params['application']) !== world.state.applicationId) throw new DiscordError(50001);
  if (params['guild'] === undefined) return 'global';
  checkGuild(request);
  return params['guild'];
}

function listCommands(request: Request): Answer {
  const scope = scopeOf(request);
  const withLocalizations = request.query.get('with_localizations') === 'true';
  const commands = request.world.state.commands[scope] ?? [];
  return ok(withLocalizations ? commands : commands.map(withoutLocalizations));
}

function withoutLocalizations(command: Json): Json {
  const { name_localizations: _names, description_localizations: _descriptions, ...rest } = command;
  return rest;
}

/** Replaces all commands of a scope; those of the same type and name keep their ids. */
function replaceCommands(request: Request): Answer {
  const { world, body } = request;
  const scope = scopeOf(request);
  if (!Array.isArray(body)) throw new DiscordError(50035);
  const bodies = (body as unknown[]).map((command) => validate('command', command));
  for (const command of bodies) checkCommand(command);
  checkSet(bodies);
  const before = world.state.commands[scope] ?? [];
  const after = bodies.map((command) => toCommand(world, scope, command, before));
  world.state.commands[scope] = after;
  return ok(after);
}

const typeOf = (command: Json): number => Number(command['type'] ?? 1);

function checkSet(commands: readonly Json[]): void {
  const keys = commands.map((command) => `${typeOf(command)} ${String(command['name'])}`);
  if (new Set(keys).size < keys.length) {
    throw invalidField(
      ['name'],
      'APPLICATION_COMMANDS_DUPLICATE_NAME',
      'Application command names must be unique',
    );
  }
  for (const [type, max] of Object.entries(MAX_BY_TYPE)) {
    const isTooMany = commands.filter((command) => typeOf(command) === Number(type)).length > max;
    if (isTooMany) throw invalidField([], 'BASE_TYPE_BAD_LENGTH', `At most ${max} commands of type ${type}.`);
  }
}

/** What the specification says nothing about: names, descriptions, the order of options. */
function checkCommand(command: Json): void {
  const isChatInput = typeOf(command) === 1;
  const name = String(command['name']);
  const description = command['description'];
  if (isChatInput) checkName(name);
  const isDescribed = typeof description === 'string' && description !== '';
  if (isChatInput !== isDescribed) {
    throw invalidField(['description'], 'BASE_TYPE_REQUIRED', 'Required for type 1, empty for the others.');
  }
  const options = (command['options'] ?? []) as Json[];
  if (!isChatInput && options.length > 0) {
    throw invalidField(['options'], 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', 'Only type 1 has options.');
  }
  checkOptions(options);
  if (JSON.stringify([name, description, options]).length > MAX_COMMAND_TEXT * 2) {
    throw invalidField(
      [],
      'APPLICATION_COMMAND_TOO_LARGE',
      `Command exceeds maximum size (${MAX_COMMAND_TEXT})`,
    );
  }
}

/** The options of a command or subcommand: names, order, and what excludes each other. */
function checkOptions(options: readonly Json[]): void {
  for (const option of options) checkName(String(option['name']));
  const names = options.map((option) => option['name']);
  if (new Set(names).size < names.length) {
    throw invalidField(
      ['options'],
      'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
      'Option name is taken',
    );
  }
  const groups = options.filter(({ type }) => type === 1 || type === 2);
  if (groups.length > 0 && groups.length < options.length) {
    const message =
      'Sub-command and sub-command group option types are mutually exclusive to all other types';
    throw invalidField(['options'], 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message);
  }
  const both = options.find((option) => option['autocomplete'] === true && option['choices'] !== undefined);
  if (both) {
    throw invalidField(['options'], 'APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES', 'Not both');
  }
  for (const group of groups) checkOptions((group['options'] ?? []) as Json[]);
  const firstOptional = options.findIndex((option) => option['required'] !== true);
  const isMisplaced =
    firstOptional !== -1 && options.slice(firstOptional).some((option) => option['required'] === true);
  if (isMisplaced) {
    const message = 'Required options must be placed before non-required options';
    throw invalidField(['options'], 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID', message);
  }
}

function checkName(name: string): void {
  const isValid = CHAT_INPUT_NAME.test(name) && name === name.toLowerCase();
  if (!isValid) throw invalidField(['name'], 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
}

function toCommand(world: World, scope: string, command: Json, before: readonly Json[]): Json {
  const same = before.find((other) => typeOf(other) === typeOf(command) && other['name'] === command['name']);
  const id = same?.['id'] ?? world.nextId();
  const guild = scope === 'global' ? {} : { guild_id: scope };
  const defaults = {
    type: 1,
    description: '',
    default_member_permissions: null,
    nsfw: false,
    dm_permission: true,
    name_localizations: null,
    description_localizations: null,
    ...(scope === 'global'
      ? {
          integration_types: [0],
          contexts: null,
        }
      : {}),
  };
  const fields = { ...defaults, ...withoutNulls(command), ...guild };
  const isSame = same !== undefined && JSON.stringify(unversioned(same)) === JSON.stringify(fields);
  const version = isSame ? same['version'] : world.nextId();
  return { ...fields, id, application_id: world.state.applicationId, version };
}

function unversioned(command: Json): Json {
  const { id: _id, application_id: _application, version: _version, ...rest } = command;
  return rest;
}

function withoutNulls(command: Json): Json {
  return Object.fromEntries(
    Object.entries(command).filter(([, value]) => value !== null && value !== undefined),
  );
}
