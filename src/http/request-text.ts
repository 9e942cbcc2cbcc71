export interface Outgoing {
  readonly method: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: string;
}

/** What says how the request is to be read is said here alone. */
const SET_HERE: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'connection',
  'transfer-encoding',
  'expect',
  'upgrade',
]);

/**
 * A request of HTTP/1.1, as it is sent.
 * @throws {TypeError} when a header cannot be sent.
 */
export function requestText({ pathname, search, host }: URL, { method, headers, body }: Outgoing): string {
  const size = Buffer.byteLength(body);
  let head = `${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${size}\r\n`;
  for (const [name, value] of headers) {
    if (SET_HERE.has(name.toLowerCase())) continue;
    // A line break would begin another header, and what is not ASCII could not be told from UTF-8.
    if (/[^\t\x20-\x7e]/.test(name + value)) throw new TypeError(`the header ${name} cannot be sent`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n${body}`;
}
