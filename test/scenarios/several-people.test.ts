/** Several people in one thread: who is answered, what the model gets to know of them, and what is forgotten again. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { holdNextAnswer } from '../support/held-answer.ts';
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

/** Asks with a mention, and resolves once that is answered. */
async function answeredTo(side: Side, place: Place, text: string): Promise<void> {
  await vi.waitFor(() => expect(side.isHeard()).toBe(true), { timeout: 15_000 });
  const before = side.posts(place).length;
  side.follow(place, text, { mention: true });
  const isAnswered = () => areEnded(side.posts(place).slice(before), 1);
  await vi.waitFor(() => expect(isAnswered()).toBe(true), { timeout: 15_000 });
}

/** What the model was told with the question that holds these words: the system prompt and what people wrote. */
function request(words: string): string {
  const found = perplexity.requests.filter(({ body }) => JSON.stringify(body).includes(words));
  const { messages = [] } = (found.at(-1)?.body ?? {}) as { messages?: { role: string; content: unknown }[] };
  return messages
    .filter(({ role }) => role !== 'assistant')
    .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))
    .join('\n\n');
}

/** The same, answers included, as it was sent. */
function bodyOf(words: string): string {
  const bodies = perplexity.requests.map(({ body }) => JSON.stringify(body));
  return bodies.findLast((body) => body.includes(words)) ?? '';
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
    await vi.waitFor(() => expect(side.reactions(place)).toContain('👍'), { timeout: 15_000 });
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
    await vi.waitFor(() => expect(side.isHeard()).toBe(true), { timeout: 15_000 });
    side.follow(place, 'No way');
    await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 15_000 });
    side.follow(place, 'Really not');
    side.follow(place, unique('So who is right?'), { mention: true });
    await vi.waitFor(() => expect(request('So who is right?')).toContain(name), { timeout: 15_000 });
    expect(told()).toHaveLength(1);
    expect(side.shownAlone(GRACE)).toEqual([]);
  });

  test('what others said since the last answer is told, with their names, once', async () => {
    const side = at();
    const first = unique('How tall is it?');
    const place = side.mention(first);
    await answered(side, place, 1);
    const words = unique('The flamingo is pink');
    const bot = unique('Build 7 failed');
    side.follow(place, words, { person: GRACE });
    side.otherBot(place, bot);
    await answeredTo(side, place, unique('Is that right?'));
    const told = request('Is that right?');
    expect(told).toContain(`says:\n> ${words}`);
    expect(told).toContain(bot);
    const later = unique('Are you sure?');
    await answeredTo(side, place, later);
    // A name that is looked up beside the first request is known by the next.
    expect(request(later).toLowerCase()).toContain('[grace');
    for (const once of [first, words, bot, later]) expect(request(later).split(`> ${once}`)).toHaveLength(2);
  });

  test('what was said before the bot was called, and by whom it did not answer, is told', async () => {
    const side = at();
    const place = side.talk(unique('The tower is closed'), GRACE);
    side.follow(place, unique('Until Monday'), { person: GRACE });
    const failing = unique('Why? fault:401');
    side.follow(place, failing, { mention: true });
    await vi.waitFor(() => expect(side.posts(place).some(({ text }) => text.includes('E-'))).toBe(true), {
      timeout: 15_000,
    });
    const asked = unique('Is it open?');
    await answeredTo(side, place, asked);
    for (const once of ['The tower is closed', 'Until Monday', 'Why? fault:401'])
      expect(request(asked).split(`${once} ${name}`)).toHaveLength(2);
  });

  test('a thread that is too long to be told is cut, and that is said once', async () => {
    const side = at();
    const place = side.talk('the beginning', GRACE);
    for (let n = 0; n < 320; n++) side.follow(place, `word ${n}`, { person: GRACE });
    await answeredTo(side, place, unique('What was said last?'));
    const cuts = () => side.posts(place).filter(({ text }) => text.includes('newest part of this thread'));
    expect(cuts()).toHaveLength(1);
    const asked = unique('And first?');
    await answeredTo(side, place, asked);
    expect(cuts()).toHaveLength(1);
    expect(request(asked)).toContain('> the beginning');
    expect(request(asked)).toContain('> word 319');
  });

  test('what is deleted reaches the model no more, and its answer stays', async () => {
    const side = at();
    const secret = unique('My password is swordfish');
    const place = side.mention(unique('How tall is it?'));
    await answered(side, place, 1);
    const deleted = side.follow(place, secret);
    const others = unique('The flamingo is pink');
    await answered(side, place, 2);
    const overheard = side.follow(place, others, { person: GRACE });
    await answeredTo(side, place, unique('Is that right?'));
    expect(request('Is that right?')).toContain(others);
    side.unsay(place, deleted);
    side.unsay(place, overheard);
    await vi.waitFor(
      async () => {
        const asked = unique('Is it open?');
        await answeredTo(side, place, asked);
        expect(request(asked)).toContain('How tall is it?');
        expect(bodyOf(asked)).not.toContain(secret);
        // The answer that had them may go on telling them.
        expect(request(asked)).not.toContain(others);
      },
      { timeout: 15_000 },
    );
    expect(side.posts(place).some(({ text }) => text.includes(secret))).toBe(true);
  });

  test('direct messages are one conversation, also when the second comes before the first is answered', async () => {
    const side = at();
    const [first, second] = [unique('Is it open?'), unique('Is it far?')];
    side.direct(first, GRACE);
    const place = side.direct(second, GRACE);
    await vi.waitFor(() => expect(areEnded(side.posts(place), 1)).toBe(true), { timeout: 15_000 });
    await vi.waitFor(() => expect(request(second)).toContain(first), { timeout: 15_000 });
    expect(request(second).indexOf(first)).toBeLessThan(request(second).indexOf(second));
  });

  test('a question that is edited while it waits is asked as edited', async () => {
    const side = at();
    const complete = holdNextAnswer(perplexity);
    const place = side.mention(unique('How tall is it?'));
    await vi.waitFor(() => expect(side.posts(place)[0]?.isGrowing).toBe(true), { timeout: 15_000 });
    const [before, after] = [unique('Is it opn?'), unique('Is it open?')];
    const marks = () => side.reactions(place).filter((emoji) => emoji === '🕐').length;
    const message = side.follow(place, before);
    await vi.waitFor(() => expect(marks()).toBe(1), { timeout: 15_000 });
    side.edit(place, message, after);
    await vi.waitFor(() => expect(side.isHeard()).toBe(true), { timeout: 15_000 });
    // Events of one place are taken in one after the other.
    side.follow(place, unique('Is it far?'));
    await vi.waitFor(() => expect(marks()).toBe(2), { timeout: 15_000 });
    complete();
    await answered(side, place, 3);
    expect(bodyOf(after)).not.toBe('');
    expect(bodyOf(before)).toBe('');
  });
});
