import {
  askUsage,
  type ParsedAsk,
  type ParsedResearch,
  parseAsk,
  parseResearch,
  researchUsage,
} from '../../core/commands/options.ts';
import type { Intake, Log, Pressed, ResearchCommands } from '../../core/ports.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import { deletedQuestion, questionFromEvent, stopFromEvent } from './inbound.ts';
import type { SlackSelf } from './incoming-text.ts';
import {
  jobsFromCommand,
  pressFromAction,
  questionFromCommand,
  questionFromShortcut,
} from './interactions.ts';
import { asRecord, asText } from './payload.ts';
import { inert, respondPrivately } from './respond.ts';

/** The names of the slash commands, each with its slash. */
export interface SlackCommands {
  readonly ask: string;
  readonly research: string;
  readonly jobs: string;
}

export interface ListenerOptions {
  readonly commands: SlackCommands;
  readonly self: SlackSelf;
  readonly intake: Intake;
  readonly researchCommands: ResearchCommands;
  readonly log: Log;
}

/** Acknowledges, with what is to be shown to the person if anything is. */
export type Ack = (response?: unknown) => void;

type Payload = Readonly<Record<string, unknown>>;

/** What is listened to, each by the name Slack gives it; all that the manifests subscribe to and nothing else. */
export interface Listeners {
  /** By the event's type. One that rejects leaves its event unacknowledged. */
  readonly events: ReadonlyMap<string, (body: Payload) => Promise<void>>;
  /** By the command, with its slash. */
  readonly commands: ReadonlyMap<string, (body: Payload, ack: Ack) => Promise<void>>;
  /** By the type of the interaction. */
  readonly interactions: ReadonlyMap<string, (body: Payload, ack: Ack) => Promise<void>>;
}

const NOT_TAKEN = "I couldn't take that just now. Please try again in a moment.";

/** Everything that is done with what comes in. */
export function createListeners(options: ListenerOptions): Listeners {
  const { commands, self, intake } = options;
  const message = async (body: Payload): Promise<void> => {
    const question = questionFromEvent(body, self);
    if (question) await intake.accept(question);
    const deleted = deletedQuestion(body, self);
    if (deleted) await intake.withdraw(deleted);
  };
  const stopped = async (body: Payload): Promise<void> => {
    const stop = stopFromEvent(body, self);
    if (stop) await intake.stop(stop.thread, stop.by);
  };
  return {
    events: new Map([
      ['app_mention', message],
      ['message', message],
      ['agent_session_stopped', stopped],
    ]),
    commands: new Map([
      [commands.ask, onCommand(options, commands.ask, parseAsk, askUsage)],
      [commands.research, onCommand(options, commands.research, parseResearch, researchUsage)],
      [commands.jobs, (body: Payload, ack: Ack) => onJobs(options, body, ack)],
    ]),
    interactions: new Map([
      ['message_action', (body: Payload, ack: Ack) => onShortcut(options, body, ack)],
      ['block_actions', (body: Payload, ack: Ack) => onPress(options, body, ack)],
    ]),
  };
}

function onCommand(
  { self, intake, log }: ListenerOptions,
  name: string,
  parse: (text: string) => ParsedAsk | ParsedResearch,
  usage: (name: string) => string,
): (body: Payload, ack: Ack) => Promise<void> {
  return async (body, ack) => {
    const question = questionFromCommand(body, self, Date.now(), parse);
    if (question === null) return ack({ response_type: 'ephemeral', text: inert(usage(name)) });
    if ('problem' in question) return ack({ response_type: 'ephemeral', text: inert(question.problem) });
    await acceptOrSay(() => intake.accept(question), body, log);
    ack();
  };
}

async function onJobs(
  { commands, self, researchCommands, log }: ListenerOptions,
  body: Payload,
  ack: Ack,
): Promise<void> {
  const { jobs: name } = commands;
  const request = jobsFromCommand(body, self);
  const usage = `Write ${name}, ${name} status R-… or ${name} stop R-….`;
  if (request === null) return ack({ response_type: 'ephemeral', text: inert(usage) });
  // To stop a job is to ask Perplexity, which may take longer than Slack waits.
  ack();
  const said = await acceptOrSay(() => researchCommands.run(request), body, log);
  if (said !== null) await respondPrivately(responseUrl(body), said, log);
}

async function onShortcut({ self, intake, log }: ListenerOptions, body: Payload, ack: Ack): Promise<void> {
  const question = questionFromShortcut(body, self, Date.now());
  if (question) await acceptOrSay(() => intake.accept(question), body, log);
  ack();
}

async function onPress({ self, intake, log }: ListenerOptions, body: Payload, ack: Ack): Promise<void> {
  const press = pressFromAction(body, self);
  const reply = press && (await acceptOrSay(() => intake.press(press), body, log));
  ack();
  if (reply) await showPressed(reply, responseUrl(body), log);
}

async function showPressed(pressed: NonNullable<Pressed>, url: string | null, log: Log): Promise<void> {
  if (pressed.type === 'text') {
    await respondPrivately(url, pressed.text, log);
    return;
  }
  for (const page of sourcePages(slackMarkdown, pressed.sources, PANEL)) {
    if (!(await respondPrivately(url, 'All sources of this answer', log, page))) return;
  }
}

/** All `markdown` blocks of a message together may hold 12,000 characters; a `response_url` takes five messages. */
const PANEL = { room: 11_500, most: 5 };

/** Slack does not repeat an interaction: when it cannot be stored, the person must hear of it. */
async function acceptOrSay<T>(accept: () => Promise<T>, body: unknown, log: Log): Promise<T | null> {
  try {
    return await accept();
  } catch (error) {
    log.error({ err: error }, 'could not take an interaction');
    await respondPrivately(responseUrl(body), NOT_TAKEN, log);
    return null;
  }
}

function responseUrl(body: unknown): string | null {
  return asText(asRecord(body)?.response_url);
}
