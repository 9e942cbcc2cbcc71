/** Related questions under an answer are buttons, and pressing one asks it: the same on both platforms. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { areEnded, type Side, startDiscordSide, startSlackSide } from '../support/sides.ts';

const GRACE = 1;
const RELATED = 'What does a megawatt-hour cost?';
const sides: Partial<Record<Side['name'], Side>> = {};
let perplexity: PerplexityServer;
let service: ServiceProcess;

beforeAll(async () => {
  sides.slack = await startSlackSide();
  sides.discord = await startDiscordSide();
  perplexity = await startPerplexityServer();
  const env = { RELATED_QUESTIONS: 'true', PERPLEXITY_API: 'chat' };
  service = await startService({ ...sides.slack.connection, ...sides.discord.connection, perplexity, env });
});

afterAll(async () => {
  await service.stop();
  await Promise.all([...Object.values(sides).map((side) => side.close()), perplexity.close()]);
});

describe.each(['slack', 'discord'] as const)('on %s', (name) => {
  test('anybody asks one, once, and its answer begins with it', async () => {
    const side = sides[name];
    if (!side) throw new Error('not started');
    const place = side.mention(`How did the tidal arrays do? ${name}`);
    await vi.waitFor(() => expect(areEnded(side.posts(place), 1)).toBe(true), { timeout: 15_000 });
    const [answer] = side.posts(place);
    expect(answer?.buttons).toEqual(
      expect.arrayContaining(['How long do the turbines last?', RELATED, 'Who owns the sea bed?']),
    );
    const before = perplexity.requests.length;
    for (const person of [GRACE, 0]) if (answer) side.press(place, answer, RELATED, person);
    await vi.waitFor(() => expect(areEnded(side.posts(place), 2)).toBe(true), { timeout: 15_000 });
    const asked = perplexity.requests.slice(before).map(({ body }) => JSON.stringify(body));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(RELATED);
    expect(asked[0]).toContain('tidal arrays');
    expect(side.posts(place).at(-1)?.text).toMatch(/^(?:>|&gt;) What does a megawatt-hour cost\?/);
  });
});
