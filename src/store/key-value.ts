import type { KeyvStorageAdapter } from 'keyv';
import { Keyv } from 'keyv';
import type { KeyValue } from '../core/ports.ts';
import type { Sql } from './sql.ts';

/**
 * Keyv over our own table, one instance per namespace (`history`, `settings`, …). It has no `error` listener, and must not
 * get one: with a listener Keyv answers "nothing there" when the database is away, and the next write would wipe a history.
 */
export function createKeyValue(sql: Sql, namespace: string): KeyValue {
  const store: Adapter = createAdapter(sql, namespace);
  const keyv = new Keyv({ store, serialization: { stringify: JSON.stringify, parse: JSON.parse } });
  return {
    get: (key) => keyv.get(requireKey(key)),
    getMany: (keys) => keyv.getMany(keys.map(requireKey)),
    async set(key, value, ttlMs) {
      // Keyv would take 0 for "for ever".
      if (ttlMs !== undefined && ttlMs <= 0) await keyv.delete(requireKey(key));
      else await keyv.set(requireKey(key), value, ttlMs);
    },
    async setMany(entries, ttlMs) {
      await keyv.setMany(entries.map(([key, value]) => ({ key: requireKey(key), value, ttl: ttlMs })));
    },
    async delete(key) {
      await keyv.delete(requireKey(key));
    },
  };
}

/** The part of Keyv's adapter that it uses for the calls above. Ours has no events: it reports faults by rejecting. */
type Adapter = Pick<KeyvStorageAdapter, 'get' | 'getMany' | 'set' | 'setMany' | 'delete' | 'deleteMany'> & {
  readonly capabilities: { readonly expires: true };
};

interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly expires?: number | undefined;
}

/** Keyv drops writes to an empty key without a word. */
function requireKey(key: string): string {
  if (key === '') throw new TypeError('a key must not be empty');
  return key;
}

function createAdapter(sql: Sql, namespace: string): Adapter {
  const read = async (keys: readonly string[]): Promise<(string | undefined)[]> => {
    const rows = await sql.query<{ key: string; value: string }>(READ, [namespace, keys, Date.now()]);
    const values = new Map(rows.map(({ key, value }) => [key, value]));
    return keys.map((key) => values.get(key));
  };
  const write = async (entries: readonly Entry[]): Promise<boolean[]> => {
    const columns = [
      entries.map(({ key }) => key),
      entries.map(({ value }) => String(value)),
      entries.map(({ expires }) => expires ?? null),
    ];
    await sql.query(WRITE, [namespace, ...columns]);
    return entries.map(() => true);
  };
  const remove = async (keys: readonly string[]): Promise<boolean[]> => {
    const rows = await sql.query<{ key: string }>(REMOVE, [namespace, keys]);
    const removed = new Set(rows.map(({ key }) => key));
    return keys.map((key) => removed.has(key));
  };
  return {
    // Keyv 6: `expires` is an absolute time in milliseconds since the epoch, not a duration.
    capabilities: { expires: true },
    get: async (key) => (await read([key]))[0],
    getMany: read,
    set: async (key, value, expires) => (await write([{ key, value, expires }])).length > 0,
    setMany: write,
    delete: async (key) => (await remove([key]))[0] ?? false,
    deleteMany: remove,
  };
}

const READ = `
  select key, value from footnote.key_values
  where namespace = $1 and key = any($2::text[]) and (expires_ms is null or expires_ms > $3)`;

const WRITE = `
  insert into footnote.key_values (namespace, key, value, expires_ms)
  select $1, * from unnest($2::text[], $3::text[], $4::double precision[])
  on conflict (namespace, key) do update set value = excluded.value, expires_ms = excluded.expires_ms`;

const REMOVE = 'delete from footnote.key_values where namespace = $1 and key = any($2::text[]) returning key';
