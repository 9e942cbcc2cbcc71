import type { Intake, KeyValue, Log, ResearchCommands } from '../../core/ports.ts';
import type { Question } from '../../core/types.ts';
import { createCatchUp } from './catch-up.ts';
import { createChannels } from './channels.ts';
import type { Dispatch } from './gateway.ts';
import { DIRECT_WORKSPACE, deletedQuestions, questionFromEdit, questionFromMessage } from './inbound.ts';
import { createInlet } from './inlet.ts';
import { readInteraction } from './interactions.ts';
import { respond } from './responding.ts';
import type { DiscordRest } from './rest.ts';
import { asObject, asObjects, readMessage, type WireMessage } from './wire.ts';

export interface ReceivingDeps {
  readonly rest: DiscordRest;
  readonly intake: Intake;
  readonly desk: ResearchCommands | null;
  readonly store: KeyValue;
  readonly botId: string;
  readonly applicationId: string;
  readonly log: Log;
}

/** Turns what the gateway sends into questions for the intake. */
export interface Receiver {
  receive(dispatch: Dispatch): void;
  /** Lets what has arrived be stored, for at most 3 s; the rest is replayed to the next process. */
  stop(): Promise<void>;
}

type Decide = (message: WireMessage, context: Parameters<typeof questionFromMessage>[1]) => Question | null;

const DRAIN_MS = 3_000;

export function createReceiver(deps: ReceivingDeps): Receiver {
  const { rest, intake, store, botId, log } = deps;
  const channels = createChannels(rest, store);
  const inlet = createInlet(log);
  const hear = async (message: WireMessage | null, decide: Decide): Promise<Heard> => {
    if (!message || message.author?.isBot) return 'nothing';
    let heard: Heard = 'nothing';
    const isDone = await inlet.take(message.channel, async () => {
      const question = decide(message, { botId, channel: await channels.of(message) });
      if (!question || (await intake.accept(question)) !== 'accepted') return;
      heard = 'question';
      if (question.workspace === DIRECT_WORKSPACE) await catchUp.remember(message.channel);
    });
    return isDone ? heard : 'left';
  };
  const catchUp = createCatchUp({ ...deps, hear: (message) => hear(message, questionFromMessage) });

  const takeMessage = async ({ type, data, done }: Dispatch): Promise<void> => {
    const message = readMessage(data);
    const isNew = type === 'MESSAGE_CREATE';
    const heard = await hear(message, isNew ? questionFromMessage : questionFromEditNow);
    // Not stored: it must be sent again to the next process.
    if (heard !== 'left') done(isNew && message ? message.id : null, heard === 'question');
  };
  const take = async (dispatch: Dispatch): Promise<void> => {
    const { type, data, newestBefore, done } = dispatch;
    if (type === 'MESSAGE_CREATE' || type === 'MESSAGE_UPDATE') return takeMessage(dispatch);
    if (type === 'INTERACTION_CREATE') return takeInteraction(deps, dispatch);
    if (type.startsWith('MESSAGE_DELETE')) await withdraw(intake, data);
    for (const channel of channelsIn(type, data)) channels.learn(channel);
    if (type === 'READY') catchUp.begin(newestBefore, asObjects(asObject(data)?.['guilds']).length);
    else if (type === 'GUILD_CREATE') catchUp.offer(data);
    done(null, false);
  };

  return {
    receive(dispatch) {
      take(dispatch).catch((error: unknown) => {
        log.error({ err: error, type: dispatch.type }, 'an event could not be dealt with');
        dispatch.done(null, false);
      });
    },
    async stop() {
      catchUp.stop();
      await inlet.idle(DRAIN_MS);
      inlet.stop();
    },
  };
}

async function takeInteraction(deps: ReceivingDeps, { data, done }: Dispatch): Promise<void> {
  const interaction = readInteraction(data);
  if (interaction) await respond(deps, interaction);
  done(null, interaction !== null && interaction.type !== 'typing');
}

async function withdraw(intake: Intake, data: unknown): Promise<void> {
  for (const id of deletedQuestions(data)) await intake.withdraw(id);
}

/** What became of a message: `left` = the process stopped before it could be stored. */
type Heard = 'question' | 'nothing' | 'left';

function questionFromEditNow(...[message, context]: Parameters<Decide>): Question | null {
  return questionFromEdit(message, context, Date.now());
}

/** The channel objects an event carries. */
function channelsIn(type: string, data: unknown): readonly unknown[] {
  if (type === 'GUILD_CREATE' || type === 'THREAD_LIST_SYNC') {
    const guild = asObject(data);
    return [...asObjects(guild?.['channels']), ...asObjects(guild?.['threads'])];
  }
  return /^(?:CHANNEL|THREAD)_(?:CREATE|UPDATE)$/.test(type) ? [data] : [];
}
