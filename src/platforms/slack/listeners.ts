import type { App } from '@slack/bolt';
import {
  askUsage,
  type ParsedAsk,
  type ParsedResearch,
  parseAsk,
  parseResearch,
  researchUsage,
} from '../../core/flags.ts';
import type { Intake, Log, Pressed } from '../../core/ports.ts';
import type { JobsDesk } from '../../core/research-ports.ts';
import { BUTTON_ACTIONS } from '../../core/types.ts';
import { slackMarkdown } from '../../markdown/dialects.ts';
import { sourcePages } from '../../markdown/sources.ts';
import { deletedQuestion, questionFromEvent, stopFromEvent } from './inbound.ts';
import type { SlackSelf } from './incoming-text.ts';
import {
  ASK_ABOUT_CALLBACK,
  actionId,
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
  /** Null for a service without research: then there is no command for its jobs. */
  readonly jobsDesk: JobsDesk | null;
  readonly log: Log;
}

const NOT_TAKEN = "I couldn't take that just now. Please try again in a moment.";

/** Registers everything the manifests subscribe to. A listener that rejects leaves its event unacknowledged. */
export function registerListeners(app: App, options: ListenerOptions): void {
  listenToEvents(app, options);
  listenToCommand(app, options, options.commands.ask, parseAsk, askUsage);
  listenToCommand(app, options, options.commands.research, parseResearch, researchUsage);
  listenToJobs(app, options);
  listenToShortcut(app, options);
  listenToButtons(app, options);
}

function listenToEvents(app: App, { self, intake }: ListenerOptions): void {
  const accept = async ({ body }: { body: unknown }): Promise<void> => {
    const question = questionFromEvent(body, self);
    if (question) await intake.accept(question);
    const deleted = deletedQuestion(body, self);
    if (deleted) await intake.withdraw(deleted);
  };
  app.event('app_mention', accept);
  app.event('message', accept);
  app.event('agent_session_stopped', async ({ body }) => {
    const stop = stopFromEvent(body, self);
    if (stop) await intake.stop(stop.thread, stop.by);
  });
}

function listenToCommand(
  app: App,
  { self, intake, log }: ListenerOptions,
  name: string,
  parse: (text: string) => ParsedAsk | ParsedResearch,
  usage: (name: string) => string,
): void {
  app.command(name, async ({ body, ack }) => {
    const question = questionFromCommand(body, self, Date.now(), parse);
    if (question === null) return ack({ response_type: 'ephemeral', text: inert(usage(name)) });
    if ('problem' in question) return ack({ response_type: 'ephemeral', text: inert(question.problem) });
    await acceptOrSay(() => intake.accept(question), body, log);
    await ack();
  });
}

function listenToJobs(app: App, { commands, self, jobsDesk, log }: ListenerOptions): void {
  const { jobs: name } = commands;
  if (!jobsDesk) return;
  app.command(name, async ({ body, ack }) => {
    const request = jobsFromCommand(body, self);
    const usage = `Write ${name}, ${name} status R-… or ${name} stop R-….`;
    if (request === null) return ack({ response_type: 'ephemeral', text: inert(usage) });
    // To stop a job is to ask Perplexity, which may take longer than Slack waits.
    await ack();
    const said = await acceptOrSay(() => jobsDesk.jobs(request), body, log);
    if (said !== null) await respondPrivately(responseUrl(body), said, log);
  });
}

function listenToShortcut(app: App, { self, intake, log }: ListenerOptions): void {
  app.shortcut({ callback_id: ASK_ABOUT_CALLBACK, type: 'message_action' }, async ({ body, ack }) => {
    const question = questionFromShortcut(body, self, Date.now());
    if (question) await acceptOrSay(() => intake.accept(question), body, log);
    await ack();
  });
}

function listenToButtons(app: App, { self, intake, log }: ListenerOptions): void {
  for (const action of BUTTON_ACTIONS) {
    app.action(actionId(action), async ({ body, ack }) => {
      const press = pressFromAction(body, self);
      const reply = press && (await acceptOrSay(() => intake.press(press), body, log));
      await ack();
      if (reply) await showPressed(reply, responseUrl(body), log);
    });
  }
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
