import { type Queryable, type Sql, UPKEEP_MS } from './sql.ts';
import { StoreError } from './store-error.ts';

/**
 * The schema's history, oldest first; a migration's number is its place, starting at 1. Only ever append: what has run
 * somewhere is never edited.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // JSON is kept as text on purpose, see Queryable.query.
    `create table footnote.answers (
      id text primary key,
      attempt integer not null,
      question text not null,
      asked_in text,
      messages text not null default '[]',
      conclusion text,
      thread text,
      delivered boolean not null default false,
      begun_at timestamptz not null default now(),
      changed_at timestamptz not null default now()
    )`,
    'create index answers_begun on footnote.answers (begun_at)',
    // Outlives the answer it belongs to: a reply to an old message still finds its thread.
    `create table footnote.answer_messages (
      message text primary key,
      answer text not null,
      thread text,
      posted_at timestamptz not null default now()
    )`,
    'create index answer_messages_answer on footnote.answer_messages (answer)',
    'create index answer_messages_posted on footnote.answer_messages (posted_at)',
    `create table footnote.threads (
      thread text primary key,
      speakers text[] not null,
      touched_at timestamptz not null default now()
    )`,
    'create index threads_touched on footnote.threads (touched_at)',
    `create table footnote.key_values (
      namespace text not null,
      key text not null,
      value text not null,
      expires_ms double precision,
      primary key (namespace, key)
    )`,
    'create index key_values_expires on footnote.key_values (expires_ms) where expires_ms is not null',
  ],
  [
    `create table footnote.research (
      id text primary key,
      name text not null,
      platform text not null,
      workspace text not null,
      asker text not null,
      effort text not null,
      question text not null,
      state text not null default 'begun',
      api text,
      upstream text,
      remark text,
      phase text,
      begun_at timestamptz not null default now(),
      submitted_at timestamptz,
      ended_at timestamptz,
      thread text,
      card text,
      card_posted_ms double precision,
      card_shown_ms double precision,
      is_card_gone boolean not null default false,
      is_late_told boolean not null default false,
      ending text,
      is_cancelled boolean,
      notice text not null default 'none',
      notice_place integer not null default 0,
      notice_message text,
      has_file boolean,
      is_delivered boolean not null default false
    )`,
    `create index research_live on footnote.research (platform, workspace)
      where state in ('begun', 'submitting', 'running')`,
    'create index research_asked on footnote.research (platform, workspace, begun_at)',
    "create index research_took on footnote.research (effort, ended_at) where state = 'done'",
    'create index research_begun on footnote.research (begun_at)',
    'create table footnote.research_turns (api text primary key, next_at timestamptz not null)',
  ],
  [
    // Null: no limit.
    `create table footnote.request_budgets (
      budget text primary key,
      per_second integer,
      per_minute integer,
      blocked_until timestamptz,
      used_at timestamptz not null default now()
    )`,
    `create table footnote.request_slots (
      id bigint generated always as identity primary key,
      budget text not null,
      at timestamptz not null
    )`,
    'create index request_slots_order on footnote.request_slots (budget, id)',
    'create index request_slots_at on footnote.request_slots (at)',
  ],
  ['drop table footnote.research_turns'],
  ['alter table footnote.request_budgets add column slowed_until timestamptz'],
  [
    'alter table footnote.request_slots add column holder text',
    'create index request_slots_holder on footnote.request_slots (holder) where holder is not null',
  ],
  [
    'alter table footnote.threads add column heard_ms double precision not null default 0',
    'alter table footnote.threads add column is_told boolean not null default false',
  ],
];

const VERSIONS = `create table if not exists footnote.schema_versions (
  version integer primary key,
  applied_at timestamptz not null default now()
)`;

/**
 * Brings our own tables (schema `footnote`) up to date. Every migration is one transaction together with its version row and
 * holds one cluster-wide lock, so that processes starting together and a death at any moment are safe.
 * @throws {StoreError} `schema-newer` when a newer Footnote has been here
 */
export async function migrate(
  sql: Sql,
  migrations: readonly (readonly string[])[] = MIGRATIONS,
): Promise<void> {
  for (;;) {
    const version = await readVersion(sql);
    if (version > migrations.length) throw toNewerSchemaError(version, migrations.length);
    if (version === migrations.length) return;
    await sql.tx((tx) => applyNext(tx, migrations), { lock: 'footnote.migrations', statementMs: UPKEEP_MS });
  }
}

/** Applies the one migration that is next by the time the lock is ours; another process may have been faster. */
async function applyNext(tx: Queryable, migrations: readonly (readonly string[])[]): Promise<void> {
  const version = await readVersion(tx);
  const migration = migrations[version];
  if (!migration) return;
  await tx.query('create schema if not exists footnote');
  // pg-boss fills its own schema; made here, under the lock, two processes on an empty database cannot collide over it.
  await tx.query('create schema if not exists pgboss');
  await tx.query(VERSIONS);
  for (const statement of migration) await tx.query(statement);
  await tx.query('insert into footnote.schema_versions (version) values ($1)', [version + 1]);
}

async function readVersion(db: Queryable): Promise<number> {
  // Not `to_regclass`: inside a transaction that answers from a cache which does not know of what others have just made.
  const known = await db.query(
    `select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'footnote' and c.relname = 'schema_versions'`,
  );
  if (known.length === 0) return 0;
  const [row] = await db.query<{ version: number | null }>(
    'select max(version)::int as version from footnote.schema_versions',
  );
  return row?.version ?? 0;
}

function toNewerSchemaError(found: number, known: number): StoreError {
  return new StoreError(
    'schema-newer',
    `the database was written by a newer Footnote (schema ${found}, this one knows ${known})`,
    'run that version or a later one, or point DATABASE_URL or DATA_DIR at another store',
  );
}
