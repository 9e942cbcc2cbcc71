/** Stores whose tables exist already: the first start of all is slow and large, and says nothing about the later ones. */
import { startChild } from './child.ts';
import { type BenchStore, createStore, type StoreKind } from './database.ts';
import type { PlatformHandlers } from './platform.ts';
import { startFootnote } from './subject.ts';

export interface Templates {
  /** A store to copy; made when it is first asked for, by starting the service on an empty one. */
  of(kind: StoreKind): Promise<BenchStore>;
  remove(): Promise<void>;
}

export function createTemplates(modelUrl: string, serverUrl: string | null): Templates {
  const made = new Map<StoreKind, Promise<BenchStore>>();
  return {
    of(kind) {
      const found = made.get(kind) ?? make(kind, modelUrl, serverUrl);
      made.set(kind, found);
      return found;
    },
    async remove() {
      for (const store of made.values()) await (await store).remove();
    },
  };
}

async function make(kind: StoreKind, modelUrl: string, serverUrl: string | null): Promise<BenchStore> {
  const store = await createStore(kind, serverUrl);
  const platform = startChild<PlatformHandlers>('platform.ts');
  try {
    const asked = { platform: 'slack', limits: 'off', latencyMs: 0 } as const;
    const { connection } = await platform.ask('start', asked);
    const service = await startFootnote({ modelUrl, connection, store, env: {} });
    await service.stop();
  } finally {
    await platform.end();
  }
  return store;
}
