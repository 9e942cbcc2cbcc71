/** How long a process takes from its start until it is connected to its platform. */
import type { PlatformName } from '../../src/core/types.ts';
import type { Setting } from './cell.ts';
import { startChild } from './child.ts';
import { createStore, type StoreKind } from './database.ts';
import type { PlatformHandlers } from './platform.ts';
import { rssMb } from './process-watch.ts';
import { median } from './statistics.ts';
import { type Subject, startFootnote, startLoop } from './subject.ts';

export interface ColdStart {
  readonly who: 'footnote' | 'loop';
  readonly platform: PlatformName;
  readonly store: StoreKind;
  /** The median of the starts. */
  readonly readyMs: number;
  readonly rssMb: number | null;
}

/** Starts a subject `times` times on a store that exists already (the first start warms the disk's cache and is not counted). */
export async function measureColdStart(
  what: Pick<ColdStart, 'who' | 'platform' | 'store'>,
  times: number,
  { modelUrl, serverUrl, templates }: Setting,
): Promise<ColdStart> {
  const platform = startChild<PlatformHandlers>('platform.ts');
  const template = what.who === 'footnote' ? await templates.of(what.store) : null;
  const store = await createStore(what.store, serverUrl, template);
  const ready: number[] = [];
  const memory: number[] = [];
  try {
    const asked = { platform: what.platform, limits: 'off', latencyMs: 0 } as const;
    const { connection } = await platform.ask('start', asked);
    const start = (): Promise<Subject> =>
      what.who === 'loop'
        ? startLoop(modelUrl, connection)
        : startFootnote({ modelUrl, connection, store, env: {} });
    for (let i = 0; i <= times; i++) {
      const subject = await start();
      if (i > 0) {
        ready.push(subject.startMs);
        memory.push(rssMb(subject.pid) ?? 0);
      }
      await subject.stop();
    }
  } finally {
    await platform.end();
    await store.remove();
  }
  return { ...what, readyMs: median(ready) ?? 0, rssMb: median(memory) };
}
