/** Readers for JSON that comes from outside: `unknown` in, the one thing asked for or nothing out. They never throw. */

/** A JSON object whose fields may be missing or of any type. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value if it is a JSON object, else null; arrays are none. */
export function asRecord(value: unknown): JsonObject | null {
  // Checked to be an object that is no array; its fields stay unknown.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** The value if it is an array, else an empty one; the elements stay unknown. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The JSON objects in an array; none if the value is not an array. */
export function asRecords(value: unknown): readonly JsonObject[] {
  return asArray(value)
    .map(asRecord)
    .filter((record) => record !== null);
}

/** The value if it is a non-empty string, else null. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The value if it is a finite number, else null. */
export function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
