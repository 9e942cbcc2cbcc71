import { channelNamed, messageIn, personNamed } from './lookup.ts';
import { channelPayload, invokerPayload, messagePayload } from './payloads.ts';
import type { ChannelState, InteractionState, Json, MessageState, Person } from './state.ts';
import { flatten } from './validation.ts';
import { findInteraction, findMessage, permissionsIn, type World } from './world.ts';

type OptionValue = string | number | boolean;

/** What people do with commands and buttons. */
export interface Invocation {
  readonly user: string;
  readonly channel: string;
}

const EPHEMERAL = 1 << 6;
const SUBCOMMAND = 1;

interface Typed {
  readonly name: string;
  /** Of a command that is a group of commands: `/name subcommand option: value`. */
  readonly subcommand?: string;
}

/** `/name option: value`. Once commands are registered, only those exist, with the options they declare. */
export function invokeCommand(
  world: World,
  call: Invocation & Typed & { readonly options?: Readonly<Record<string, OptionValue>> },
): InteractionState {
  const command = registered(world, call.name, 1);
  const declared = declaredOptions(command, call);
  const given = call.options ?? {};
  if (declared) checkOptions(declared, given);
  const options = Object.entries(given).map(([name, value]) => ({
    name,
    value,
    type: optionType(declared, name, value),
  }));
  return start(world, call, {
    type: 2,
    name: call.name,
    data: commandData(world, command, call, options),
    answerType: 20,
  });
}

/** What the client asks for while somebody types into an option. */
export function invokeAutocomplete(
  world: World,
  call: Invocation & Typed & { readonly option: string; readonly typed: string },
): InteractionState {
  const command = registered(world, call.name, 1);
  const declared = declaredOptions(command, call);
  const option = declared?.find(({ name }) => name === call.option);
  if (declared && option?.['autocomplete'] !== true) throw new Error(`${call.option} has no autocompletion`);
  const options = [{ name: call.option, value: call.typed, type: 3, focused: true }];
  return start(world, call, { type: 4, name: call.name, data: commandData(world, command, call, options) });
}

/** The options a command declares, or its subcommand does; undefined while no command is registered at all. */
function declaredOptions(
  command: Json | undefined,
  { name, subcommand }: Typed,
): readonly Json[] | undefined {
  if (!command) return undefined;
  const options = (command['options'] ?? []) as Json[];
  const groups = options.filter(({ type }) => type === SUBCOMMAND);
  if (groups.length === 0 && subcommand === undefined) return options;
  const group = groups.find((option) => option['name'] === subcommand);
  if (!group) throw new Error(`/${name} has no subcommand ${String(subcommand)}`);
  return (group['options'] ?? []) as Json[];
}

function commandData(
  world: World,
  command: Json | undefined,
  { name, subcommand }: Typed,
  options: readonly Json[],
): Json {
  const nested = subcommand === undefined ? options : [{ name: subcommand, type: SUBCOMMAND, options }];
  return { id: command?.['id'] ?? world.nextId(), name, type: 1, options: nested };
}

/** "Apps > name" on a message. Its target comes with its content, whatever the intents. */
export function invokeMessageCommand(
  world: World,
  call: Invocation & { readonly message: string; readonly name: string },
): InteractionState {
  const command = registered(world, call.name, 3);
  const target = messageIn(world, call.channel, call.message);
  const messages = { [target.id]: messagePayload(world, target, true) };
  const id = command?.['id'] ?? world.nextId();
  const data = { id, name: call.name, type: 3, target_id: target.id, resolved: { messages } };
  return start(world, call, { type: 2, name: call.name, data, answerType: 23 });
}

/** Presses a button. Throws when the message has no such button, or it is disabled. */
export function pressButton(
  world: World,
  call: Invocation & { readonly message: string; readonly customId: string },
): InteractionState {
  const message = messageIn(world, call.channel, call.message);
  const button = flatten(message.components).find((component) => component['custom_id'] === call.customId);
  if (!button) throw new Error(`message ${message.id} has no button ${call.customId}`);
  if (button['disabled'] === true) throw new Error(`button ${call.customId} is disabled`);
  const data = { custom_id: call.customId, component_type: button['type'] };
  return start(world, call, { type: 3, name: call.customId, data, source: message });
}

/** Fills in and submits the modal that answered an interaction. */
export function submitModal(
  world: World,
  call: { readonly interaction: string; readonly fields: Readonly<Record<string, string>> },
): InteractionState {
  const interaction = findInteraction(world, call.interaction);
  if (!interaction?.modal) throw new Error(`interaction ${call.interaction} has shown no modal`);
  const { user, channel, source } = interaction;
  const customId = String(interaction.modal['custom_id']);
  const components = Object.entries(call.fields).map(([id, value]) => ({
    type: 1,
    components: [{ type: 4, custom_id: id, value }],
  }));
  const message = source === null ? undefined : findMessage(world, channel, source);
  const data = { custom_id: customId, components };
  return start(
    world,
    { user, channel },
    { type: 5, name: customId, data, ...(message ? { source: message } : {}) },
  );
}

interface Start {
  readonly type: InteractionState['type'];
  readonly name: string;
  readonly data: Json;
  readonly source?: MessageState;
  readonly answerType?: 20 | 23;
}

function start(
  world: World,
  call: Invocation,
  { type, name, data, source, answerType }: Start,
): InteractionState {
  const channel = channelNamed(world, call.channel);
  const person = personNamed(world, call.user);
  const id = world.nextId();
  const interaction: InteractionState = {
    id,
    type,
    name,
    user: person.id,
    channel: channel.id,
    createdAt: world.now(),
    token: Buffer.from(`interaction:${id}:${world.random().toString(36).slice(2)}`).toString('base64url'),
    acknowledged: null,
    responseType: null,
    original: null,
    followups: [],
    modal: null,
    choices: null,
    source: source?.id ?? null,
    answerType: answerType ?? 0,
  };
  world.state.interactions.push(interaction);
  const message = source ? { message: sourcePayload(world, source) } : {};
  const body = { ...contextPayload(world, interaction, channel, person), data, ...message };
  // Interactions come even where the bot sees nothing: no channel to check.
  world.dispatch({ t: 'INTERACTION_CREATE', intents: 0, channel: null, body: () => body });
  return interaction;
}

function sourcePayload(world: World, source: MessageState): Json {
  const payload = messagePayload(world, source, true);
  return source.ephemeralTo === null ? payload : { ...payload, flags: source.flags | EPHEMERAL };
}

function contextPayload(
  world: World,
  { id, type, token }: InteractionState,
  channel: ChannelState,
  person: Person,
): Json {
  const isDm = channel.kind === 'dm';
  const { guild, applicationId } = world.state;
  const { user, ...member } = invokerPayload(world, person);
  const where = isDm
    ? { user, context: 1 }
    : {
        member: {
          ...member,
          user,
        },
        context: 0,
        guild_id: guild.id,
        guild_locale: 'en-US',
        guild: {
          id: guild.id,
          locale: 'en-US',
          features: [],
        },
      };
  return {
    id,
    type,
    token,
    version: 1,
    application_id: applicationId,
    channel_id: channel.id,
    channel: channelPayload(world, channel),
    app_permissions: permissionsIn(world, channel),
    locale: 'en-US',
    entitlements: [],
    attachment_size_limit: 10485760,
    authorizing_integration_owners: { '0': isDm ? '0' : guild.id },
    ...where,
  };
}

/** The registered command of this name; undefined while none is registered at all. */
function registered(world: World, name: string, type: number): Json | undefined {
  const all = Object.values(world.state.commands).flat();
  const command = all.find((other) => other['name'] === name && other['type'] === type);
  if (!command && all.length > 0) throw new Error(`no command "${name}" of type ${type} is registered`);
  return command;
}

/** What the client makes sure of before anything is sent. */
function checkOptions(declared: readonly Json[], given: Readonly<Record<string, OptionValue>>): void {
  const missing = declared.find(
    (option) => option['required'] === true && !(String(option['name']) in given),
  );
  if (missing) throw new Error(`option ${String(missing['name'])} is required`);
  for (const [name, value] of Object.entries(given)) {
    const option = declared.find((other) => other['name'] === name);
    if (!option) throw new Error(`no option ${name}`);
    const choices = (option['choices'] ?? []) as Json[];
    const isChoice = choices.length === 0 || choices.some((choice) => choice['value'] === value);
    if (!isChoice) throw new Error(`${String(value)} is no choice of ${name}`);
    const isTooLong = typeof value === 'string' && value.length > Number(option['max_length'] ?? 6000);
    if (isTooLong) throw new Error(`option ${name} is too long`);
  }
}

function optionType(declared: readonly Json[] | undefined, name: string, value: OptionValue): number {
  const type = declared?.find((option) => option['name'] === name)?.['type'];
  if (typeof type === 'number') return type;
  if (typeof value === 'boolean') return 5;
  if (typeof value === 'string') return 3;
  return Number.isInteger(value) ? 4 : 10;
}
