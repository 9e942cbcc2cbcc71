/**
 * Loaded into the service before it starts (`NODE_OPTIONS=--import …`): numbers its side effects and ends the process with
 * SIGKILL at one of them. A point is a call about to leave for another service, its answer coming back, or a statement that
 * has changed something in the store. `KILL_POINTS_FILE` gets a line per point; `KILL_AT` is the number to die at; what comes
 * before the file `KILL_FROM_FILE` exists is not counted, so that starting is no part of it.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, existsSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

const killAt = Number(process.env['KILL_AT'] ?? 0);
const pointsFile = process.env['KILL_POINTS_FILE'] ?? '';
const fromFile = process.env['KILL_FROM_FILE'] ?? '';
let points = 0;
let isCounting = false;

function point(what: string): void {
  isCounting ||= existsSync(fromFile);
  if (!isCounting) return;
  points += 1;
  appendFileSync(pointsFile, `${points} ${what}\n`);
  if (points === killAt) process.kill(process.pid, 'SIGKILL');
}

interface HttpRequest {
  readonly method: string;
  readonly path: string;
}

function named({ method, path }: HttpRequest): string {
  return `${method} ${path.replaceAll(/\d{5,}|[\da-f-]{36}/g, '…').slice(0, 80)}`;
}

/** Keeping a connection alive changes nothing anybody could miss. */
const UPKEEP = /auth\.test|apps\.connections|\/link\/|\/gateway|typing|setStatus/;

function onRequest(when: string, { request }: { readonly request: HttpRequest }): void {
  const name = named(request);
  if (!UPKEEP.test(name)) point(`${when} ${name}`);
}

// Of Node's own fetch and of the undici package, as undici documents the message.
subscribe('undici:request:create', (message) => onRequest('before', message as { request: HttpRequest }));
subscribe('undici:request:headers', (message) => onRequest('after', message as { request: HttpRequest }));

const CHANGES = /\b(?:insert into|(?<!for )update|delete from)\s+(?:"?\w+"?\.)?"?(\w+)/i;
/** An answer has its message, its end and its delivery recorded in one table. */
const COLUMN = /\bupdate footnote\.answers set(\s+\w+)/i;
/** What the queue does all the time, work or none. */
const BOOKKEEPING_TABLES: ReadonlySet<string> = new Set(['version', 'queue', 'warning', 'instance']);
const HEARTBEAT = /\bset heartbeat_on = now\(\)\s+where/i;

interface Result {
  readonly affectedRows?: number;
  readonly rows?: readonly unknown[];
}

function note(text: string, results: readonly Result[]): void {
  const table = CHANGES.exec(text)?.[1];
  if (table === undefined || BOOKKEEPING_TABLES.has(table) || HEARTBEAT.test(text)) return;
  if (results.some(({ affectedRows = 0, rows = [] }) => affectedRows + rows.length > 0))
    point(`stored in ${table}${COLUMN.exec(text)?.[1] ?? ''}`);
}

type Query = (this: unknown, text: string, ...rest: unknown[]) => Promise<Result>;

interface Queryable {
  query: Query;
}

interface Database extends Queryable {
  exec: (this: unknown, text: string, ...rest: unknown[]) => Promise<Result[]>;
  transaction: (this: unknown, run: (tx: Queryable) => Promise<unknown>) => Promise<unknown>;
}

function noting(query: Query): Query {
  return async function (text, ...rest) {
    const result = await query.call(this, text, ...rest);
    note(text, [result]);
    return result;
  };
}

// The class declares generics that nothing here depends on.
const database = PGlite.prototype as unknown as Database;
const { query, exec, transaction } = database;
database.query = noting(query);
database.exec = async function (text, ...rest) {
  const results = await exec.call(this, text, ...rest);
  note(text, results);
  return results;
};
database.transaction = function (run) {
  return transaction.call(this, (tx) => {
    tx.query = noting(tx.query);
    return run(tx);
  });
};
