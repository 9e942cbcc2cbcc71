import { statfsSync } from 'node:fs';

/**
 * In bytes. Postgres' log grows by 16 MB at a time. Where it cannot, PGlite 0.5.16 never writes again, or never returns: so nothing
 * is asked of it before that, and it goes on by itself once there is space.
 */
export const LEAST_SPACE = 24_000_000;
/** In bytes; a new database takes 40 MB. */
export const NEW_SPACE = 64_000_000;

/** @throws an error with the code ENOSPC when there is less. A file system that does not tell its size has enough. */
export function requireSpace(dataDir: string, bytes: number): void {
  const { blocks, bavail, bsize } = statfsSync(dataDir);
  if (blocks === 0 || bavail * bsize >= bytes) return;
  const message = `no space left: ${dataDir} needs ${bytes / 1_000_000} MB more`;
  throw Object.assign(new Error(message), { code: 'ENOSPC' });
}
