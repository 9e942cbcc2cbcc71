/** Starts the unmodified service as a child process, as an operator would: by its environment alone. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { prepareDataDir } from './data-dir.ts';

export interface ServiceOptions {
  readonly slack?: { readonly apiUrl: string; readonly botToken: string; readonly appToken: string };
  readonly discord?: { readonly apiUrl: string; readonly token: string; readonly applicationId: string };
  readonly perplexity: { readonly url: string; readonly apiKey: string };
  readonly databaseUrl?: string;
  /** Without one, `data` in the working directory. */
  readonly dataDir?: string;
  /** Where it runs; should hold no `.env`. Without one, a temporary directory that is removed. */
  readonly cwd?: string;
  /** Further variables; they win over the ones made from the options above. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with every line of the log as it comes. */
  readonly onLine?: (line: LogLine) => void;
  /** Called with the id of the process before it is ready. */
  readonly onSpawn?: (pid: number) => void;
  /** Gives up a start under way, with SIGKILL; without effect once it is ready. */
  readonly signal?: AbortSignal;
}

/** For loads in which a few people and channels stand for many. */
export const NO_PERSONAL_LIMITS = {
  ANSWERS_PER_PERSON: '0',
  ANSWERS_PER_CHANNEL: '0',
  WAITING_PER_PERSON: '0',
} as const;

/** A parsed line of the service's log; a line that is no JSON object has only `msg`. */
interface LogLine {
  readonly msg?: string;
  readonly level?: number | string;
  readonly [field: string]: unknown;
}

/** The exit code, or the signal that ended the process. */
export type Exit = number | NodeJS.Signals;

export interface ServiceProcess {
  readonly pid: number;
  /** Where health and metrics are served. */
  readonly port: number;
  /** The newest lines of the log, at most 10,000, oldest first. */
  readonly log: readonly LogLine[];
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Sends the signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<Exit>;
  readonly exited: Promise<Exit>;
}

/** The service ended before it was ready, or did not get ready in time (then `exit` is `SIGKILL`). */
export class ServiceStartError extends Error {
  readonly exit: Exit;
  readonly stderr: string;

  constructor(exit: Exit, stderr: string) {
    super(`the service did not get ready (${exit}): ${stderr.trim() || 'nothing on stderr'}`);
    this.name = 'ServiceStartError';
    this.exit = exit;
    this.stderr = stderr;
  }
}

/**
 * Starts `src/main.ts` and resolves at its log line `ready`. Its environment holds what the options say and nothing else of
 * this process's, its working directory is an empty one unless given (no `.env`), and it cannot outlive this process.
 * @throws {ServiceStartError}
 */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const temporary = options.cwd === undefined ? mkdtempSync(join(tmpdir(), 'footnote-')) : null;
  const cwd = options.cwd ?? temporary ?? tmpdir(); // one of the first two
  const usesOwnData = temporary !== null && !options.dataDir && !options.databaseUrl;
  if (usesOwnData) await prepareDataDir(join(temporary, 'data'));
  const child = spawn(process.execPath, ['--import', TETHER, MAIN], {
    cwd,
    env: environment(options, cwd),
    stdio: ['pipe', 'pipe', 'pipe'],
    // In a process group of its own: ctrl-C in a terminal is for whoever started it, who then stops it in order.
    detached: true,
    windowsHide: true,
  });
  living.set(child, temporary);
  if (child.pid !== undefined) options.onSpawn?.(child.pid);
  const log: LogLine[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-20_000)));
  // Of the child's end only `exited` speaks; a write to its closed stdin is no news.
  child.stdin.on('error', () => undefined);
  const exited = endOf(child).then((exit) => {
    living.delete(child);
    remove(temporary);
    return exit;
  });
  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };

  const port = await new Promise<number>((resolve, reject) => {
    const giveUp = (): void => void kill('SIGKILL');
    const patience = setTimeout(giveUp, READY_WITHIN_MS);
    const settle = (): void => {
      clearTimeout(patience);
      options.signal?.removeEventListener('abort', giveUp);
    };
    if (options.signal?.aborted) giveUp();
    options.signal?.addEventListener('abort', giveUp);
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parse(text);
      log.push(line);
      if (log.length > KEPT_LINES) log.shift();
      options.onLine?.(line);
      if (line.msg !== 'ready') return;
      settle();
      resolve(Number(line['port']));
    });
    void exited.then((exit) => {
      settle();
      reject(new ServiceStartError(exit, stderr));
    });
  });
  return {
    pid: child.pid ?? 0, // set, since the process has already spoken
    port,
    log,
    stderr: () => stderr,
    kill,
    stop: () => kill('SIGTERM'),
    exited,
  };
}

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const READY_WITHIN_MS = 60_000;
const KEPT_LINES = 10_000;

/** Shared by the processes of all tests, which otherwise would each compile everything. */
export const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/compiled');

/** Ends the child with this process. */
const TETHER = new URL('tether.js', import.meta.url).href;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const living = new Map<Child, string | null>();
process.on('exit', () => {
  for (const [child, temporary] of living) {
    child.kill('SIGKILL');
    remove(temporary);
  }
});

function environment(options: ServiceOptions, cwd: string): Record<string, string> {
  const { slack, discord, perplexity, databaseUrl, dataDir, env } = options;
  const inherited = ['PATH', 'HOME', 'SystemRoot'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    PORT: '0',
    NODE_COMPILE_CACHE: COMPILED,
    DATA_DIR: dataDir ?? join(cwd, 'data'),
    PERPLEXITY_API_KEY: perplexity.apiKey,
    PERPLEXITY_BASE_URL: perplexity.url,
    // As the stand-in, which limits nothing unless told to.
    PERPLEXITY_REQUESTS_PER_SECOND: '0',
    PERPLEXITY_REQUESTS_PER_MINUTE: '0',
    ...(slack && {
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
    }),
    ...(discord && {
      DISCORD_API_URL: discord.apiUrl,
      DISCORD_TOKEN: discord.token,
      DISCORD_APPLICATION_ID: discord.applicationId,
    }),
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
    ...env,
  };
}

function endOf(child: Child): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    child.once('error', () => resolve('SIGKILL'));
  });
}

function remove(temporary: string | null): void {
  if (temporary === null) return;
  try {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Only litter in the temporary directory; the end of the process matters more.
  }
}

function parse(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : { msg: text };
  } catch {
    return { msg: text };
  }
}
