/** Several people in one thread: who is answered, what the model gets to know of them, and what is forgotten again. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import { areEnded, type Place, type Side, startDiscordSide, startSlackSide } from '../support/sides.ts';

const [ADA, GRACE] = [0, 1];
const sides: Partial<Record<Side['name'], Side>> = {};
let perplexity: PerplexityServer;
let service: ServiceProcess;

beforeAll(async () => {
  sides.slack = await startSlackSide();
  sides.discord = await startDiscordSide();
  perplexity = await startPerplexityServer();
  service = await startService({ ...sides.slack.connection, ...sides.discord.connection, perplexity });
});

afterAll(async () => {
  await service.stop();
  await Promise.all([...Object.values(sides).map((side) => side.close()), perplexity.close()]);
});

/** Resolves once so many answers have ended there. */
async function answered(side: Side, place: Place, count: number): Promise<void> {
  await vi.waitFor(() => expect(areEnded(side.posts(place), count)).toBe(true), { timeout: 15_000 });
}

/** What the model was asked with the question that holds these words, system prompt included. */
function request(words: string): string {
  const found = perplexity.requests.filter(({ body }) => JSON.stringify(body).includes(words));
  return JSON.stringify(found.at(-1)?.body ?? null);
}

describe.each(['slack', 'discord'] as const)('on %s', (name) => {
  /** Words that no other test and no other platform says. */
  let serial = 0;
  const unique = (words: string): string => `${words} ${name}-${++serial}`;
  const at = (): Side => {
    const side = sides[name];
    if (!side) throw new Error('not started');
    return side;
  };

  test('a bare thanks is acknowledged, and asks nothing of the model', async () => {
    const side = at();
    const place = side.mention(unique('How tall is it?'));
    await answered(side, place, 1);
    const before = perplexity.requests.length;
    side.follow(place, 'Thank you! 🙏');
    await vi.waitFor(() => expect(side.reactions(place)).toContain('👍'), { timeout: 5_000 });
    side.follow(place, unique('And how old?'));
    await answered(side, place, 2);
    expect(perplexity.requests.length).toBe(before + 1);
  });

  test('when a second person joins, the first is told once that a mention is needed now', async () => {
    const side = at();
    const place = side.mention(unique('How tall is it?'));
    await answered(side, place, 1);
    const told = (): readonly string[] =>
      [...side.shownAlone(ADA), ...side.posts(place).map(({ text }) => text)].filter((text) =>
        text.includes('mention me when you mean me'),
      );
    side.follow(place, 'I think it is taller', { person: GRACE });
    side.follow(place, 'No way');
    await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 5_000 });
    side.follow(place, 'Really not');
    side.follow(place, unique('So who is right?'), { mention: true });
    await vi.waitFor(() => expect(request('So who is right?')).toContain(name), { timeout: 5_000 });
    expect(told()).toHaveLength(1);
    expect(side.shownAlone(GRACE)).toEqual([]);
  });
});
