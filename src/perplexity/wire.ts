/** Careful reading of what came over the wire: every field may be missing or of another type. */

export type Wire = Readonly<Record<string, unknown>>;

/** The value as an object, or null. Arrays are not objects here. */
export function object(value: unknown): Wire | null {
  // Checked to be a plain object; its fields stay unknown.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Wire) : null;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is a string with something in it, else null. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The value if it is a finite number, else null. */
export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
