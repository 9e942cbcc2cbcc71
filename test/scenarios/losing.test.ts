import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { type ServiceProcess, startService } from '../support/service.ts';
import {
  areEnded,
  type Place,
  type Side,
  startDiscordSide,
  startSlackSide,
  until,
} from '../support/sides.ts';

/** A side, what can be taken away there while an answer is written, and what its asker is told directly. */
interface Lossy {
  readonly side: Side;
  removeAnswer(place: Place): void;
  readonly places: Readonly<Record<string, (place: Place) => void>>;
  giveBack(): void;
  directly(): readonly string[];
}

async function lossySlack(): Promise<Lossy> {
  const side = await startSlackSide();
  const { server } = side;
  const dm = server.channels.find(({ kind }) => kind === 'im')?.id ?? '';
  const refuse = (error: string) => (): void => {
    for (const method of ['chat.appendStream', 'chat.stopStream', 'chat.startStream', 'chat.update'])
      server.fault(method, { error }, Number.POSITIVE_INFINITY);
  };
  return {
    side,
    removeAnswer: (place) => server.remove({ channel: place.channel, ts: side.posts(place)[0]?.id ?? '' }),
    places: { archived: refuse('is_archived'), 'left by the bot': refuse('not_in_channel') },
    giveBack: () => server.clearFaults(),
    directly: () =>
      server
        .history(dm)
        .filter(({ bot }) => bot)
        .map(({ text }) => text),
  };
}

async function lossyDiscord(): Promise<Lossy> {
  const side = await startDiscordSide();
  const { server } = side;
  const refuse = (): void => server.deny('general', ['SEND_MESSAGES_IN_THREADS', 'VIEW_CHANNEL']);
  return {
    side,
    removeAnswer: (place) =>
      server.remove({ channel: place.channel, message: side.posts(place)[0]?.id ?? '' }),
    places: {
      archived: ({ channel }) => server.archive(channel, { locked: true }),
      'left by the bot': refuse,
    },
    giveBack: () => server.deny('general', []),
    directly: () =>
      server
        .history('@ada')
        .filter(({ author }) => author.bot)
        .map(({ content }) => content),
  };
}

/** What people take away under an answer while it is written. */
describe.each([
  ['Slack', lossySlack],
  ['Discord', lossyDiscord],
])('on %s', (_name, start) => {
  let lossy: Lossy;
  let perplexity: PerplexityServer;
  let service: ServiceProcess;

  beforeAll(async () => {
    lossy = await start();
    perplexity = await startPerplexityServer({ tokensPerSecond: 100 });
    service = await startService({ ...lossy.side.connection, perplexity });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([lossy.side.close(), perplexity.close()]);
  });

  const growing = async (text: string): Promise<Place> => {
    const { side } = lossy;
    const place = side.mention(text);
    await until(side, 'growing text', 10_000, () => side.posts(place).some((post) => post.isGrowing));
    return place;
  };
  const aborted = (): Promise<void> =>
    expect.poll(() => perplexity.requests.at(-1)?.state, { timeout: 10_000 }).toBe('aborted');

  test('the answer itself: it ends, is not written again, and the next question is answered', async () => {
    const { side, removeAnswer } = lossy;
    const place = await growing('long 9000 to lose');
    removeAnswer(place);
    await aborted();
    // Without the lost answer's own topic, which the stand-in would find in the thread.
    side.follow(place, 'echo', { mention: true });
    await until(side, 'the next answer', 15_000, () => areEnded(side.posts(place), 1));
    expect(side.posts(place)).toHaveLength(1);
    expect(lossy.directly()).toEqual([]);
  });

  test.each(['archived', 'left by the bot'])(
    'the place, %s: it ends, and the asker is told once',
    async (how) => {
      const { side, places, giveBack, directly } = lossy;
      const before = directly().length;
      const place = await growing(`long 9000 in a place ${how}`);
      places[how]?.(place);
      await aborted();
      await expect.poll(() => directly().length, { timeout: 10_000 }).toBe(before + 1);
      expect(directly().at(-1)).toMatch(/can't answer where you asked.*· E-[2-9A-Z]{4}/);
      giveBack();
      const next = side.mention('And elsewhere?');
      await until(side, 'an answer', 15_000, () => areEnded(side.posts(next), 1));
      expect(directly().slice(before)).toHaveLength(1);
    },
  );
});
