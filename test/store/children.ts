import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

type Step = Readonly<Record<string, unknown>>;

export interface Child {
  /** What it has said so far. */
  readonly steps: readonly Step[];
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>;
  readonly process: ChildProcess;
}

const running = new Set<ChildProcess>();

/** For `afterEach`: a failed test leaves no process behind. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Starts `child.ts` with the Node that runs the tests. */
export function startChild(task: string, databaseUrl: string | null, dataDir = ''): Child {
  const script = fileURLToPath(new URL('child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, task, databaseUrl ?? '-', dataDir], {
    // It ends when its standard input does, that is, with us.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const steps: Step[] = [];
  createInterface(child.stdout).on('line', (line) => steps.push(JSON.parse(line) as Step));
  const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  running.add(child);
  child.once('close', () => running.delete(child));
  return {
    steps,
    process: child,
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
