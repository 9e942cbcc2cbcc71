/** Why the store cannot be opened. `start-faults.ts` gives every one of them its exit code. */
export type StoreErrorCode =
  /** Another process owns the data directory. */
  | 'data-dir-locked'
  /** The data directory cannot be created, written or read. */
  | 'data-dir-unusable'
  /** What is in the data directory is no database that can be opened. */
  | 'data-dir-damaged'
  /** Other accounts may write to the data directory, or it belongs to one. */
  | 'data-dir-unsafe'
  /** Nothing answers at the database's address. */
  | 'database-unreachable'
  /** The address is wrong, or the database refuses us: password, database name, permissions. */
  | 'database-refused'
  /** A newer Footnote has already migrated this database. */
  | 'schema-newer';

/** A fault at start-up that an operator can cure. The message is one line and names the variable and the remedy. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, what: string, remedy: string, cause?: unknown) {
    super(`${what}: ${remedy}`, { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Translates whatever node-postgres throws while connecting. Never shows the password. */
export function explainConnecting(databaseUrl: string, error: unknown): StoreError {
  const known = explainUsing(databaseUrl, error);
  if (known) return known;
  return toRefusal(databaseUrl, error, 'check DATABASE_URL and the server');
}

/** Translates those faults of an open connection that are the server's or its administrator's; null for any other. */
export function explainUsing(databaseUrl: string, error: unknown): StoreError | null {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = firstLine(error);
  if (UNREACHABLE.has(code) || /timeout|terminated/i.test(message)) {
    return new StoreError(
      'database-unreachable',
      `no Postgres answers at ${describeAddress(databaseUrl)} (${code || message})`,
      'start it, or correct the host and port in DATABASE_URL',
      error,
    );
  }
  const remedy = REFUSALS[code] ?? (code.startsWith('28') ? REFUSALS['28P01'] : undefined);
  return remedy ? toRefusal(databaseUrl, error, remedy) : null;
}

/** Says in one line why a row could not be written. */
export function explainWriting(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // disk_full, and its like for the embedded database.
  if (code === '53100' || code === 'ENOSPC') return `the store is full (${firstLine(error)})`;
  // read_only_sql_transaction: a standby, or a disk that was made so.
  if (code === '25006') return 'the store is read-only';
  return `the store takes nothing (${code || firstLine(error)})`;
}

function toRefusal(databaseUrl: string, error: unknown, remedy: string): StoreError {
  const what = `Postgres at ${describeAddress(databaseUrl)} refused us (${firstLine(error)})`;
  return new StoreError('database-refused', what, remedy, error);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}

/** @throws {StoreError} `database-refused` when the address is not one of Postgres */
export function checkUrl(databaseUrl: string): void {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : null;
  if (url && (url.protocol === 'postgres:' || url.protocol === 'postgresql:')) return;
  throw new StoreError(
    'database-refused',
    'DATABASE_URL is not the address of a Postgres database',
    'set DATABASE_URL to postgres://user:password@host:5432/database, or leave it out to use DATA_DIR',
  );
}

function describeAddress(databaseUrl: string): string {
  const { hostname, port, pathname } = new URL(databaseUrl);
  return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  // cannot_connect_now: it is starting up or shutting down.
  '57P03',
]);

/** By SQLSTATE. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'correct the user and password in DATABASE_URL',
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '53300':
    'the server has no connection left; raise its max_connections or stop other clients, then check DATABASE_URL',
  '42501': 'let the user of DATABASE_URL create schemas: GRANT CREATE ON DATABASE … TO …',
};
