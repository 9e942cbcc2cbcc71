/** What people attach reaches the model, or is named as not read: the same on both platforms. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { makePdf } from '../support/pdf.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type GivenFile,
  type Place,
  type Side,
  startDiscordSide,
  startSlackSide,
} from '../support/sides.ts';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

const file = (name: string, type: string, content: string | Uint8Array): GivenFile => ({
  name,
  type,
  bytes: typeof content === 'string' ? Buffer.from(content) : content,
});

describe.each(['chat', 'agent'] as const)('through the API %s', (api) => {
  const sides: Partial<Record<Side['name'], Side>> = {};
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    sides.slack = await startSlackSide();
    sides.discord = await startDiscordSide();
    perplexity = await startPerplexityServer();
    const env = { PERPLEXITY_API: api, FILE_MAX_PAGES: '3', FILE_MAX_CHARS: '2000', FILE_MAX_MB: '1' };
    service = await startService({ ...sides.slack.connection, ...sides.discord.connection, perplexity, env });
  });

  afterAll(async () => {
    await service.stop();
    await Promise.all([...Object.values(sides).map((side) => side.close()), perplexity.close()]);
  });

  describe.each(['slack', 'discord'] as const)('on %s', (name) => {
    const at = (): Side => {
      const side = sides[name];
      if (!side) throw new Error('not started');
      return side;
    };
    /** Asks about files; resolves with what the model was sent, and what stands under the answer. */
    const ask = async (text: string, files: readonly GivenFile[], place?: Place) => {
      const before = place ? at().posts(place).length : 0;
      const asked = at().attach(`${text} ${name}`, files, place);
      const posts = () => at().posts(asked).slice(before);
      await vi.waitFor(() => expect(areEnded(posts(), 1)).toBe(true), { timeout: 20_000 });
      const sent = perplexity.requests.findLast(({ body }) =>
        JSON.stringify(body).includes(`${text} ${name}`),
      );
      const shown = posts()
        .map((post) => post.text)
        .join('\n');
      return { asked, body: JSON.stringify(sent?.body), shown };
    };

    test('texts, images and PDFs reach the model', async () => {
      const { body, shown } = await ask('What is in these files?', [
        file('sales.csv', 'text/csv', 'city,total\nOslo,41\n'),
        file('app.log', 'text/plain', 'ERROR tank 7 overflow'),
        file('chart.png', 'image/png', PNG),
        file('report.pdf', 'application/pdf', makePdf(['The flamingo page'])),
      ]);
      expect(body).toContain('Oslo,41');
      expect(body).toContain('ERROR tank 7 overflow');
      expect(body).toContain(`data:image/png;base64,${PNG.toString('base64')}`);
      const pdf = makePdf(['The flamingo page']).toString('base64');
      expect(body).toContain(api === 'chat' ? pdf : 'The flamingo page');
      expect(shown).not.toContain('Not read');
    });

    test('what is read in part, or not, is named with its reason', async () => {
      const { body, shown } = await ask('And in those?', [
        file('long.pdf', 'application/pdf', makePdf(['one', 'two', 'three', 'four', 'five'])),
        file('film.mp4', 'video/mp4', Buffer.alloc(10)),
        file('huge.txt', 'text/plain', 'x'.repeat(1_200_000)),
        file('broken.pdf', 'application/pdf', '%PDF-1.7 and nothing more'),
        file('long.txt', 'text/plain', 'word '.repeat(1_000)),
      ]);
      expect(body).toContain('three');
      expect(body).not.toContain('four');
      expect(shown).toMatch(
        /Read in part: long\.pdf \(3 of 5 pages\), long\.txt \(1,9\d\d of 5,000 characters\)/,
      );
      expect(shown).toMatch(
        /Not read: film\.mp4 \(video\/mp4\), huge\.txt \(1\.2 MB (?:>|&gt;) 1 MB\), broken\.pdf/,
      );
    });

    test('a file of the thread is read for the next question, and for none in another thread', async () => {
      const first = await ask('What does it hold?', [
        file('plan.md', 'text/markdown', '# Secret zebra plan'),
      ]);
      expect(first.body).toContain('Secret zebra plan');
      const next = await ask('And what else?', [], first.asked);
      expect(next.body).toContain('Secret zebra plan');
      const other = await ask('What is there elsewhere?', []);
      expect(other.body).not.toContain('zebra');
      expect(other.body).not.toContain('plan.md');
    });
  });
});
