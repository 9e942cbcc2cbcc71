export interface SseReader {
  /** Takes what comes next and returns the data of every event it completes; comments and empty events are left out. */
  push(text: string): readonly string[];
}

/** A single event may not be longer, in characters: the largest real ones carry some 50 search results. */
const LONGEST_EVENT = 4_000_000;

/**
 * Splits a stream of server-sent events. Everything a read brought is split in one go, so that many small events cost one
 * pass. Event names and ids are not looked at: both APIs name the kind of event in its data.
 * @throws {RangeError} when an event grows beyond all reason.
 */
export function createSseReader(): SseReader {
  let rest = '';
  let data: string | null = null;

  const line = (start: number, end: number, found: string[]): void => {
    const last = rest.charCodeAt(end - 1) === CARRIAGE_RETURN && end > start ? end - 1 : end;
    if (last === start) {
      if (data) found.push(data);
      data = null;
    } else if (rest.startsWith('data:', start)) {
      const value = rest.slice(rest.charCodeAt(start + 5) === SPACE ? start + 6 : start + 5, last);
      data = data === null ? value : `${data}\n${value}`;
      if (data.length > LONGEST_EVENT) throw new RangeError('event too long');
    }
  };

  return {
    push(text) {
      rest += text;
      const found: string[] = [];
      let start = 0;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
        line(start, end, found);
        start = end + 1;
      }
      rest = rest.slice(start);
      if (rest.length > LONGEST_EVENT) throw new RangeError('event too long');
      return found;
    },
  };
}

const CARRIAGE_RETURN = 13;
const SPACE = 32;
