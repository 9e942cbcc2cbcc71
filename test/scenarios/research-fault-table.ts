import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ResearchService, startResearchService, type Talk } from '../support/research-service.ts';
import type { Place } from '../support/sides.ts';

const REPORT = /Research finished in/;
const UNCHARGED = 'Nothing was begun, so nothing is charged.';
const IN_DOUBT = /The connection broke while I handed this in: it may have been begun at Perplexity/;
const NOT_SET_UP = new RegExp(`I'm not set up correctly; please tell whoever runs me. ${UNCHARGED}`);
const REFUSED = new RegExp(`I couldn't send that: .*${UNCHARGED}`);

/** What becomes of a job that meets a fault: the same on both APIs, or what differs on the Agent API, which knows no keys. */
interface Row {
  readonly fault: string;
  readonly told: RegExp;
  readonly onAgent?: RegExp;
  /** Jobs upstream, 1 unless said. */
  readonly begun?: number;
  readonly begunOnAgent?: number;
  readonly canRetry?: boolean;
}

/** The people who may speak in every channel of the stand-ins. */
const PEOPLE = 3;

/** Fails at the hand-over, with nothing begun. */
const refused = (fault: string, told: RegExp): Row => ({ fault, told, begun: 0, canRetry: false });
/** Its outcome is unknown: handed in again under its key, or explained. */
const inDoubt = (fault: string, begunOnAgent: number): Row => ({
  fault,
  told: REPORT,
  onAgent: IN_DOUBT,
  begunOnAgent,
});

const ROWS: readonly Row[] = [
  refused('400', REFUSED),
  refused('401', NOT_SET_UP),
  refused('402', NOT_SET_UP),
  refused('403', NOT_SET_UP),
  refused('404', REFUSED),
  refused('422', REFUSED),
  refused('retired', NOT_SET_UP),
  { fault: '429x2', told: REPORT },
  { fault: '429-barex2', told: REPORT },
  { fault: '429-datex1', told: REPORT },
  { fault: '429-resetx1', told: REPORT },
  { fault: '503x2', told: REPORT },
  { fault: '529x1', told: REPORT },
  inDoubt('500x1', 0),
  inDoubt('502x1', 0),
  inDoubt('resetx1', 0),
  inDoubt('htmlx1', 0),
  inDoubt('jsonx1', 0),
  inDoubt('lostx1', 1),
  inDoubt('lost-502x1', 1),
  inDoubt('lost-htmlx1', 1),
  inDoubt('cutx1', 1),
  inDoubt('malformedx1', 1),
  inDoubt('silencex1', 1),
  { fault: 'slow', told: REPORT },
  { fault: 'look-404x1', told: REPORT },
  { fault: 'look-400x1', told: REPORT },
  { fault: 'look-500x1', told: REPORT },
  { fault: 'look-503x1', told: REPORT },
  { fault: 'look-htmlx1', told: REPORT },
  { fault: 'look-jsonx1', told: REPORT },
  { fault: 'look-resetx1', told: REPORT },
  { fault: 'look-cutx1', told: REPORT },
  { fault: 'look-malformedx1', told: REPORT },
  { fault: 'look-slow', told: REPORT },
  { fault: 'job-nullx1', told: REPORT },
  { fault: 'job-oddx2', told: REPORT },
  { fault: 'job-incomplete', told: /Research finished in[^]*The report reached its length limit/ },
  {
    fault: 'job-incomplete-empty',
    told: /could not finish it: its limit on tokens left no room for a report/,
  },
  { fault: 'job-failed', told: /could not finish it. It may have been charged in part/ },
  {
    fault: 'job-cancelled',
    // Chat completions have no such state.
    told: /could not finish it. It may have been charged in part/,
    onAgent: /It was cancelled at Perplexity. What it had done until then may be charged/,
  },
];

/**
 * The fault table: each row through the unmodified service, on both platforms, all at once. An API to a file: most of its time
 * is waiting, and files are run side by side.
 */
export function describeFaults(api: 'chat' | 'agent'): void {
  describe(`research on the ${api} API`, { timeout: 120_000 }, () => {
    let service: ResearchService;
    const asked: { readonly row: Row; readonly talk: Talk; readonly place: Place; readonly text: string }[] =
      [];

    beforeAll(async () => {
      service = await startResearchService({ PERPLEXITY_API: api });
      for (const [n, row] of ROWS.entries()) {
        for (const talk of service.talks) {
          const { name, channels, mention } = talk.side;
          const text = `fault:${row.fault} for ${name}`;
          // Spread over channels and people: one channel would wait for its limit of new messages, one person for their two
          // steps at a time, not for the faults.
          const person = Math.floor(n / PEOPLE) % PEOPLE;
          const place = mention(`research: ${text}`, person, channels[n % channels.length]);
          asked.push({ row, talk, place, text });
        }
      }
    }, 60_000);
    afterAll(() => service.close());

    test.each(ROWS)('$fault ends in the truth, once', async (row) => {
      for (const { talk, place, text } of asked.filter((one) => one.row === row)) {
        const { told, onAgent = told, begun = 1, begunOnAgent = begun, canRetry = true } = row;
        const expected = api === 'agent' ? onAgent : told;
        const hasReport = expected.source.startsWith(REPORT.source);
        const ending = hasReport ? /· Done in/ : /· Failed after/;
        await expect.poll(() => talk.notices(place).length, { timeout: 110_000 }).toBe(1);
        await expect.poll(() => talk.cards(place)[0]?.text, { timeout: 20_000 }).toMatch(ending);
        const [notice] = talk.notices(place);
        expect(notice?.text).toMatch(expected);
        expect(notice?.text.match(/<@/g)).toHaveLength(1);
        expect(notice?.buttons.includes('Try again')).toBe(!hasReport && canRetry);
        const jobs = service.perplexity.research.jobs.filter(({ question }) => question.includes(text));
        expect(jobs).toHaveLength(api === 'agent' ? begunOnAgent : begun);
        expect(talk.side.posts(place).flatMap(({ buttons }) => buttons)).not.toContain('Stop');
      }
    });
  });
}
