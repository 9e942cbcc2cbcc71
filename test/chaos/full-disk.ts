import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startPerplexityServer } from '../servers/perplexity/server.ts';
import { prepareDataDir } from '../support/data-dir.ts';
import { startService } from '../support/service.ts';
import { areEnded, type Side, startDiscordSide, startSlackSide, until } from '../support/sides.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { type Asked, type ChaosRun, faultsOf, type Outcome, watch } from './run.ts';

/** Enough for the database and what it may still need, and soon filled. */
const MEGABYTES = 120;

/**
 * A disk that is filled while questions come: the service says 503 with the reason, and 200 by itself once there is space.
 * Whatever it has acknowledged is answered, in its original message, and paid once.
 */
export async function fullDisk(run: ChaosRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  // What is delivered again comes within half a minute.
  const starts = [() => startSlackSide({ limits: 'off', retryScale: 0.1 }), () => startDiscordSide()];
  for (const start of starts) {
    const disk = mountSmallDisk(MEGABYTES);
    if (!disk) {
      console.log('left out: full-disk: this user may not mount a file system');
      continue;
    }
    const side = await start();
    try {
      outcomes.push(await fillUnder(side, disk, run));
    } finally {
      await side.close();
      disk.remove();
    }
  }
  return outcomes;
}

async function fillUnder(side: Side, disk: SmallDisk, { isShort }: ChaosRun): Promise<Outcome> {
  const perplexity = await startPerplexityServer({ tokensPerSecond: 40, firstTokenMs: 100 });
  const dataDir = join(disk.path, 'data');
  await prepareDataDir(dataDir);
  const service = await startService({ ...side.connection, perplexity, dataDir });
  const asked: Asked[] = [];
  const stopWatching = watch(side, asked);
  const faults: string[] = [];
  const askFor = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds * 2; i++) {
      const text = `full ${asked.length}`;
      asked.push({ side, place: side.mention(text), text, first: null });
      await wait(500);
    }
  };
  const readiness = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${service.port}/readyz`);
    return `${response.status} ${(await response.text()).trim()}`;
  };
  const expectReady = async (when: string, expected: RegExp): Promise<void> => {
    const found = await readiness();
    if (!expected.test(found)) faults.push(`/readyz ${when}: ${found}`);
  };
  try {
    await askFor(isShort ? 3 : 10);
    disk.fill();
    await askFor(isShort ? 3 : 10);
    await expectReady('while the disk is full', /^503 the store is full \(no space left/);
    const before = perplexity.requests.length;
    disk.free();
    await askFor(isShort ? 2 : 5);
    await expectReady('once there is space', /^200 ready$/);
    const isOver = (): boolean => asked.every(({ place }) => areEnded(side.posts(place), 1));
    await until(side, 'every question has ended', 90_000, isOver).catch(() => undefined);
    faults.push(...asked.flatMap(faultsOf));
    const paid = perplexity.requests.length;
    if (paid > asked.length) faults.push(`${paid - asked.length} answers paid twice`);
    const requests = `${before} model requests before there was space, ${paid} in all`;
    return { check: `full disk on ${side.name}`, figures: `${asked.length} questions, ${requests}`, faults };
  } finally {
    stopWatching();
    await service.kill('SIGKILL');
    await perplexity.close();
  }
}
