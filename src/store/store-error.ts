/** Why the store cannot be opened. `main` maps every one of them to a start-up failure. */
export type StoreErrorCode =
  /** Another process owns the data directory. */
  | 'data-dir-locked'
  /** The data directory cannot be created, written or read. */
  | 'data-dir-unusable'
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
  /** What to do about it; already part of the message. */
  readonly remedy: string;

  constructor(code: StoreErrorCode, what: string, remedy: string, cause?: unknown) {
    super(`${what}: ${remedy}`, { cause });
    this.name = 'StoreError';
    this.code = code;
    this.remedy = remedy;
  }
}
