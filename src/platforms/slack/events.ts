/** What is done with what comes in: everything that the manifests subscribe to, and nothing else. */
import type { App, BlockButtonAction, RespondArguments, SlashCommand } from '@slack/bolt';
import { askUsage, parseAsk, parseResearch, researchUsage } from '../../core/commands/options.ts';
import type { Intake, Log, Pressed, ResearchCommands } from '../../core/ports.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import {
  ASK_ABOUT_CALLBACK,
  jobsFromCommand,
  OUR_ACTIONS,
  pressFromAction,
  questionFromCommand,
  questionFromShortcut,
} from './commands.ts';
import { escapeMrkdwn, type Reader } from './decode-text.ts';
import { respondPrivately } from './platform.ts';
import {
  deletedQuestion,
  editedQuestion,
  overheardBot,
  questionFromMention,
  questionFromMessage,
  stopFromEvent,
} from './questions.ts';

/** The names of the slash commands, each with its slash. */
export interface SlackCommands {
  readonly ask: string;
  readonly research: string;
  readonly jobs: string;
}

/** What `authorize` adds to Bolt's context: who we are in the workspace that an event is handled under. */
export type Installation = { readonly reader: Reader };

export interface ListenerOptions {
  readonly commands: SlackCommands;
  readonly intake: Intake;
  readonly researchCommands: ResearchCommands;
  readonly log: Log;
}

const NOT_TAKEN = "I couldn't take that just now. Please try again in a moment.";

/** Registers all listeners. One of an event that rejects leaves it unacknowledged, so that Slack delivers it again. */
export function addListeners(app: App<Installation>, options: ListenerOptions): void {
  listenToEvents(app, options);
  listenToCommands(app, options);
  listenToInteractions(app, options);
}

function listenToEvents(app: App<Installation>, { intake, log }: ListenerOptions): void {
  app.event('app_mention', async ({ event, body, context: { reader } }) => {
    const question = read(log, () => questionFromMention(event, reader, body.event_time));
    if (question) await intake.accept(question);
  });
  app.event('message', async ({ event, body, context: { reader } }) => {
    const edited = read(log, () => editedQuestion(event, reader, body.event_time));
    if (edited) await intake.revise(edited);
    const question = read(log, () => questionFromMessage(event, reader, body.event_time));
    if (question) await intake.accept(question);
    const deleted = read(log, () => deletedQuestion(event, reader.self));
    if (deleted) await intake.withdraw(deleted);
    const overheard = read(log, () => overheardBot(event, reader.self));
    if (overheard) await intake.overhear(overheard.thread, overheard.at);
  });
  app.event('agent_session_stopped', async ({ event, context: { reader } }) => {
    const stop = stopFromEvent(event, reader.self);
    if (stop) await intake.stop(stop.thread, stop.by);
  });
}

function listenToCommands(app: App<Installation>, options: ListenerOptions): void {
  const { commands, intake, researchCommands, log } = options;
  const asking = [
    [commands.ask, parseAsk, askUsage],
    [commands.research, parseResearch, researchUsage],
  ] as const;
  for (const [name, parse, usage] of asking) {
    app.command(name, async ({ command, ack, context: { reader } }) => {
      const question = questionFromCommand(command, reader, Date.now(), parse);
      if (question === null) return ack(privately(usage(name)));
      if ('problem' in question) return ack(privately(question.problem));
      await acceptOrSay(() => intake.accept(question), command, log);
      await ack();
    });
  }
  app.command(commands.jobs, async ({ command, ack, context: { reader } }) => {
    const { jobs: name } = commands;
    const request = jobsFromCommand(command, reader);
    if (request === null) return ack(privately(`Write ${name}, ${name} status R-… or ${name} stop R-….`));
    // To stop a job is to ask Perplexity, which may take longer than Slack waits.
    await ack();
    const said = await acceptOrSay(() => researchCommands.run(request), command, log);
    if (said !== null) await respondPrivately(command.response_url, said, log);
  });
}

function listenToInteractions(app: App<Installation>, { intake, log }: ListenerOptions): void {
  const onlyOurs = { type: 'message_action', callback_id: ASK_ABOUT_CALLBACK } as const;
  app.shortcut(onlyOurs, async ({ shortcut, ack, context: { reader } }) => {
    const question = questionFromShortcut(shortcut, reader, Date.now());
    if (question) await acceptOrSay(() => intake.accept(question), shortcut, log);
    await ack();
  });
  const ourButtons = { type: 'block_actions', action_id: OUR_ACTIONS } as const;
  app.action<BlockButtonAction>(ourButtons, async ({ body, ack, context: { reader } }) => {
    const press = pressFromAction(body, reader.self);
    const pressed = press && (await acceptOrSay(() => intake.press(press), body, log));
    await ack();
    if (pressed) await showPressed(pressed, body.response_url, log);
  });
}

/** Null too when the payload is not what Slack documents: delivered again, it would make no more sense. */
function read<T>(log: Log, map: () => T | null): T | null {
  try {
    return map();
  } catch (error) {
    log.warn({ err: error }, 'dropped an event from Slack that makes no sense');
    return null;
  }
}

function privately(text: string): RespondArguments {
  return { response_type: 'ephemeral', text: escapeMrkdwn(text) };
}

async function showPressed(pressed: NonNullable<Pressed>, url: string, log: Log): Promise<void> {
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

/** Slack does not repeat an interaction: when it cannot be stored, the person is told. Null then. */
async function acceptOrSay<T>(
  accept: () => Promise<T>,
  { response_url }: Pick<SlashCommand, 'response_url'>,
  log: Log,
): Promise<T | null> {
  try {
    return await accept();
  } catch (error) {
    log.error({ err: error }, 'could not take an interaction');
    await respondPrivately(response_url, NOT_TAKEN, log);
    return null;
  }
}
