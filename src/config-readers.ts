/** Small readers that a configuration variable's value is made with; a schema library takes a tenth of a start to load. */

/** Turns a variable's text into its value. @throws {Wrong} */
export type Read<T> = (text: string) => T;

/** What is to be done about a value, as a person reads it behind the variable's name; never holds the value. */
export class Wrong extends Error {}

export interface Variable<T> {
  readonly read: Read<T>;
  /** When the variable is not set. */
  readonly fallback: T;
}

export function variable<T>(read: Read<T>, fallback: T): Variable<T> {
  return { read, fallback };
}

export function optional<T>(read: Read<T>): Variable<T | undefined> {
  return { read, fallback: undefined };
}

/** The same reader, which also wants `isRight` of what was read. */
export function check<T>(read: Read<T>, isRight: (value: T) => boolean, remedy: string): Read<T> {
  return (text) => {
    const value = read(text);
    if (!isRight(value)) throw new Wrong(remedy);
    return value;
  };
}

export const text: Read<string> = (value) => value;

export const list: Read<readonly string[]> = (value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** An address of one of these protocols. */
export function address(protocols: RegExp, remedy: string): Read<string> {
  return check(text, (value) => protocols.test(URL.parse(value)?.protocol ?? ''), remedy);
}

export function oneOf<const T extends string>(names: readonly T[], remedy: string): Read<T> {
  return (value) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new Wrong(remedy);
    return found;
  };
}

/** Both bounds are allowed. */
export function decimal(min: number, max: number): Read<number> {
  const number = check(Number, Number.isFinite, 'is not a number');
  return check(number, (value) => value >= min && value <= max, `must lie between ${min} and ${max}`);
}

export function integer(min: number, max: number): Read<number> {
  return check(decimal(min, max), Number.isInteger, 'must be a whole number');
}
