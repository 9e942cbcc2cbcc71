import { DiscordError, invalidField } from './errors.ts';
import { INTERACTION_DEFAULT } from './mentions.ts';
import { addMessage, changeMessage, removeMessage } from './messages.ts';
import { interactionPayload, messagePayload } from './payloads.ts';
import type { UploadedFile } from './recording.ts';
import { applyEdit, toAttachment } from './routes-messages.ts';
import { type Answer, type Request, type Route, snowflake } from './routing.ts';
import type { InteractionState, Json, MessageState } from './state.ts';
import { checkFiles, checkMessage, Flags, isEmpty, type MessageBody, validate } from './validation.ts';
import { findChannel, findInteraction, findMessage, type World } from './world.ts';

const CALLBACK_MS = 3000;
const TOKEN_MS = 15 * 60_000;

const SETTABLE = Flags.suppressEmbeds | Flags.ephemeral | Flags.suppressNotifications | Flags.componentsV2;

/** Callback types that answer each type of interaction. */
const ANSWERS: Readonly<Record<InteractionState['type'], readonly number[]>> = {
  2: [4, 5, 9],
  3: [4, 5, 6, 7, 9],
  4: [8],
  5: [4, 5, 6, 7],
};

export const interactionRoutes: readonly Route[] = [
  { method: 'POST', template: '/interactions/:interaction/:token/callback', isOpen: true, handle: callback },
  { method: 'POST', template: '/webhooks/:application/:token', isOpen: true, handle: followUp },
  {
    method: 'GET',
    template: '/webhooks/:application/:token/messages/:message',
    isOpen: true,
    handle: (request) => shown(request.world, responseOf(request).message),
  },
  {
    method: 'PATCH',
    template: '/webhooks/:application/:token/messages/:message',
    isOpen: true,
    handle: editResponse,
  },
  {
    method: 'DELETE',
    template: '/webhooks/:application/:token/messages/:message',
    isOpen: true,
    handle: deleteResponse,
  },
];

function shown(world: World, message: MessageState): Answer {
  return { status: 200, body: messagePayload(world, message, world.messageContentAllowed) };
}

function callback(request: Request): Answer {
  const { world, params, query } = request;
  const interaction = findInteraction(world, snowflake(params['interaction']));
  if (!interaction || interaction.token !== params['token']) throw new DiscordError(10062);
  if (interaction.acknowledged !== null) throw new DiscordError(40060);
  if (world.now() - interaction.createdAt > CALLBACK_MS) throw new DiscordError(10062);
  const { type, data } = parseCallback(request.body);
  const isKnown = ANSWERS[interaction.type].includes(type) && (type !== 7 || interaction.source !== null);
  if (!isKnown)
    throw invalidField(['type'], 'INTERACTION_TYPE_INVALID', `Not an answer to type ${interaction.type}.`);
  const message = respond(request, interaction, type, data);
  interaction.acknowledged = world.now();
  interaction.responseType = type;
  if (message) interaction.original = message.id;
  world.touch();
  if (query.get('with_response') !== 'true') return { status: 204 };
  const isEphemeral = (message?.ephemeralTo ?? null) !== null;
  const payload = message ? { message: messagePayload(world, message, true) } : {};
  const resource = { type, ...payload };
  return { status: 200, body: { interaction: interactionPayload(interaction, isEphemeral), resource } };
}

function parseCallback(body: unknown): { readonly type: number; readonly data: unknown } {
  if (typeof body !== 'object' || body === null || !('type' in body) || typeof body.type !== 'number') {
    throw invalidField(['type'], 'BASE_TYPE_REQUIRED', 'This field is required');
  }
  const extra = Object.keys(body).find((key) => key !== 'type' && key !== 'data');
  if (extra !== undefined) throw invalidField([extra], 'UNKNOWN_KEY', `No such field: ${extra}`);
  return { type: body.type, data: 'data' in body ? body.data : undefined };
}

/** Does what a callback says; returns the message that `@original` then means. */
function respond(
  request: Request,
  interaction: InteractionState,
  type: number,
  data: unknown,
): MessageState | null {
  const { world, files } = request;
  const source = interaction.source === null ? null : (find(world, interaction, interaction.source) ?? null);
  switch (type) {
    case 4:
      return postResponse(request, interaction, validate('response', data), null);
    case 5: {
      const { flags } =
        data === undefined || data === null ? {} : (validate('response', data) as MessageBody);
      if (((flags ?? 0) & ~Flags.ephemeral) !== 0)
        throw invalidField(['flags'], 'FLAGS_INVALID', 'Only ephemeral.');
      return addMessage(world, {
        ...envelope(world, interaction, flags ?? 0),
        content: '',
        flags: (flags ?? 0) | Flags.loading,
      });
    }
    case 7:
      if (!source) throw new DiscordError(10008);
      updateSource(world, source, validate('responseEdit', data), files);
      return source;
    case 8:
      interaction.choices = (validate('choices', data)['choices'] ?? []) as Json[];
      return null;
    case 9:
      interaction.modal = validate('modal', data);
      return null;
    default:
      return source;
  }
}

function updateSource(
  world: World,
  source: MessageState,
  body: MessageBody,
  files: readonly UploadedFile[],
): void {
  applyEdit(
    world,
    source,
    { ...body, allowed_mentions: body.allowed_mentions ?? INTERACTION_DEFAULT },
    files,
    true,
  );
}

/** What every message of an interaction has in common. */
function envelope(
  world: World,
  interaction: InteractionState,
  flags: number,
): Pick<
  Parameters<typeof addMessage>[1],
  'channel' | 'author' | 'allowed' | 'interaction' | 'ephemeralTo' | 'type'
> {
  const channel = findChannel(world, interaction.channel);
  if (!channel) throw new DiscordError(10003);
  const { id, user, type } = interaction;
  const isEphemeral = (flags & Flags.ephemeral) !== 0;
  return {
    channel,
    author: world.state.botUser,
    allowed: INTERACTION_DEFAULT,
    interaction: { id, user, type },
    ephemeralTo: isEphemeral ? user : null,
    type: interaction.answerType,
  };
}

/** @param repliesTo the original response, for a follow-up */
function postResponse(
  { world, files }: Request,
  interaction: InteractionState,
  body: MessageBody,
  repliesTo: string | null,
): MessageState {
  checkMessage(body, SETTABLE);
  checkFiles(files);
  if (isEmpty(body, files)) throw new DiscordError(50006);
  const base = envelope(world, interaction, body.flags ?? 0);
  const channel = interaction.channel;
  return addMessage(world, {
    ...base,
    content: body.content ?? '',
    allowed: body.allowed_mentions ?? INTERACTION_DEFAULT,
    embeds: body.embeds ?? [],
    components: body.components ?? [],
    attachments: files.map((file) => toAttachment(world, file)),
    flags: body.flags ?? 0,
    ...(repliesTo === null ? {} : { reference: { type: 0, channel, message: repliesTo }, type: 19 }),
  });
}

/** The interaction whose token a webhook call carries. @throws {DiscordError} 50027 after 15 minutes, 10015 before an answer */
function interactionOf({ world, params }: Request): InteractionState {
  const isOurs = snowflake(params['application']) === world.state.applicationId;
  const interaction = world.state.interactions.find(({ token }) => token === params['token']);
  if (!isOurs || !interaction) throw new DiscordError(50027);
  if (world.now() - interaction.createdAt > TOKEN_MS) throw new DiscordError(50027);
  if (interaction.acknowledged === null) throw new DiscordError(10015);
  return interaction;
}

function followUp(request: Request): Answer {
  const { world, files } = request;
  const interaction = interactionOf(request);
  const body = validate('response', request.body) as MessageBody;
  const original = interaction.original === null ? undefined : find(world, interaction, interaction.original);
  // Discord's old habit, still there: the first follow-up after a deferral fills the placeholder.
  if (original && (original.flags & Flags.loading) !== 0) {
    fillPlaceholder(world, original, { ...body, flags: null }, files);
    return shown(world, original);
  }
  const message = postResponse(request, interaction, body, original?.id ?? null);
  interaction.followups.push(message.id);
  return shown(world, message);
}

function find(world: World, interaction: InteractionState, id: string): MessageState | undefined {
  return findMessage(world, interaction.channel, id);
}

function responseOf(request: Request): {
  readonly interaction: InteractionState;
  readonly message: MessageState;
} {
  const { world, params } = request;
  const interaction = interactionOf(request);
  const id = params['message'] === '@original' ? interaction.original : snowflake(params['message']);
  const isOwn = id !== null && (id === interaction.original || interaction.followups.includes(id));
  const message = isOwn ? find(world, interaction, id) : undefined;
  if (!message) throw new DiscordError(10008);
  return { interaction, message };
}

function fillPlaceholder(
  world: World,
  message: MessageState,
  body: MessageBody,
  files: readonly UploadedFile[],
): void {
  applyEdit(
    world,
    message,
    { ...body, allowed_mentions: body.allowed_mentions ?? INTERACTION_DEFAULT },
    files,
    true,
  );
  changeMessage(world, message, {
    flags: message.flags & ~Flags.loading,
    allowed: INTERACTION_DEFAULT,
    silently: true,
  });
}

function editResponse(request: Request): Answer {
  const { world, files } = request;
  const { message } = responseOf(request);
  const body = validate('responseEdit', request.body) as MessageBody;
  if (findChannel(world, message.channel)?.thread?.archived) throw new DiscordError(50083);
  const isPlaceholder = (message.flags & Flags.loading) !== 0;
  if (isPlaceholder) fillPlaceholder(world, message, body, files);
  else
    applyEdit(
      world,
      message,
      { ...body, allowed_mentions: body.allowed_mentions ?? INTERACTION_DEFAULT },
      files,
      false,
    );
  return shown(world, message);
}

function deleteResponse(request: Request): Answer {
  const { message } = responseOf(request);
  removeMessage(request.world, message);
  return { status: 204 };
}
