import { join } from 'node:path';
import { type DiscordServer, startDiscordServer } from '../servers/discord/discord-server.ts';
import type { DiscordState } from '../servers/discord/state.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type SlackServer, startSlackServer } from '../servers/slack/server.ts';
import type { SlackState } from '../servers/slack/types.ts';
import type { ServiceOptions } from '../support/service.ts';
import { createBoard } from './board.ts';
import { discordSide } from './discord-side.ts';
import { readSaved, type Saving, saveTo } from './saving.ts';
import { slackSide } from './slack-side.ts';
import { type Supervisor, superviseService } from './supervisor.ts';
import { startWeb } from './web.ts';

export interface SandboxOptions {
  /** The page's; 0 for any free one. */
  readonly port: number;
  /** Where conversations and the service's data are kept. */
  readonly directory: string;
  /** The real API; null for the stand-in. */
  readonly perplexity: { readonly url: string; readonly apiKey: string } | null;
  /** Tokens a second of the stand-in's answers, and the wait before the first: as a person knows them, unless given. */
  readonly pace?: { readonly tokensPerSecond: number; readonly firstTokenMs: number };
  /** Further variables for the service. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Sandbox {
  /** The page's address. */
  readonly url: string;
  readonly slack: SlackServer;
  readonly discord: DiscordServer;
  readonly perplexity: PerplexityServer | null;
  readonly supervisor: Supervisor;
  /** Ends the service, then everything else; conversations are saved. */
  close(): Promise<void>;
}

/** About how fast the real API writes: the stand-in's tokens are whole words, and a word is one and a half of the real ones. */
const HUMAN_PACE = { tokensPerSecond: 35, firstTokenMs: 400 };

/** Starts the stand-ins, the unmodified service as a child process, and the page. Does not wait for the service. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { directory, pace = HUMAN_PACE } = options;
  const slackFile = join(directory, 'slack.json');
  const discordFile = join(directory, 'discord.json');
  const slackState = readSaved(slackFile) as SlackState | undefined; // as this program saved it
  const discordState = readSaved(discordFile) as DiscordState | undefined; // the same
  const slack = await startSlackServer({ limits: 'real', ...(slackState && { state: slackState }) });
  const discord = await startDiscordServer({ limits: 'real', ...(discordState && { state: discordState }) });
  const perplexity = options.perplexity ? null : await startPerplexityServer(pace);
  const savings = [
    saveTo(slackFile, () => slack.snapshot()),
    saveTo(discordFile, () => discord.snapshot()),
  ] as const;

  const model = options.perplexity ?? { url: perplexity?.url ?? '', apiKey: perplexity?.apiKey ?? '' };
  const service: ServiceOptions = {
    slack,
    discord,
    perplexity: model,
    dataDir: join(directory, 'data'),
    env: { SHUTDOWN_GRACE_SECONDS: '3', ...options.env },
  };
  const board = createBoard(() => ({
    service: supervisor.status(),
    model: { kind: options.perplexity ? 'real' : 'stand-in', url: model.url },
    slack: slackSide(slack, Date.now()),
    discord: discordSide(discord, Date.now()),
  }));
  const supervisor = superviseService(service, () => board.touch());
  watch(slack, savings[0], board);
  watch(discord, savings[1], board);
  const web = await startWeb(options.port, board, { slack, discord, perplexity, supervisor });

  return {
    url: `http://127.0.0.1:${web.port}`,
    slack,
    discord,
    perplexity,
    supervisor,
    async close() {
      await supervisor.stop();
      board.close();
      await web.close();
      for (const saving of savings) saving.close();
      await Promise.all([slack.close(), discord.close(), perplexity?.close()]);
    },
  };
}

function watch(server: SlackServer | DiscordServer, saving: Saving, board: { touch(): void }): void {
  server.onChange(() => {
    saving.changed();
    board.touch();
  });
}
