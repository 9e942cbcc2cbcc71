/** Which loads are run: the groups of the full bench, the short one of CI, and any product of values by hand. */
import type { PlatformName } from '../../src/core/types.ts';
import type { Load } from './cell.ts';

export const BASE: Load = {
  who: 'footnote',
  platform: 'slack',
  store: 'postgres',
  concurrency: 100,
  limits: 'off',
  budgets: 'own',
  tokens: 600,
  tokensPerSecond: 100,
  latencyMs: 50,
  ground: 'channel',
  turns: 0,
  stored: 0,
};

/** Values to be combined with one another; what is left out is as in `BASE`. */
export type Values = { readonly [K in keyof Load]?: readonly Load[K][] };

const LONG = { tokensPerSecond: [400], concurrency: [5] } as const;

/**
 * Without limits. On Slack the service's budgets are lifted; on Discord they are not, since discord.js keeps to 50 requests a
 * second by itself, and what then counts is who may go first. There answers are given in threads, as a channel takes few.
 */
function unlimited(values: Values): Values[] {
  return [
    { ...values, platform: ['slack'], budgets: ['lifted'] },
    { ...values, platform: ['discord'], ground: ['threads'] },
  ];
}

/** The groups of the full bench, in the order of the table. */
export const GROUPS: Readonly<Record<string, readonly Values[]>> = {
  capacity: [
    ...[1, 10, 100, 500, 1_000].flatMap((concurrency): Values[] => [
      { who: ['bare'], concurrency: [concurrency] },
      // 50 requests a second in all: more answers at once on Discord only wait longer, for either of the two.
      ...unlimited({ who: ['loop', 'footnote'], concurrency: [concurrency] }).filter(
        ({ platform }) => concurrency <= 100 || !platform?.includes('discord'),
      ),
    ]),
    ...unlimited({ store: ['embedded'], concurrency: [10, 100] }),
  ],
  limits: [
    { who: ['loop', 'footnote'], limits: ['real'], concurrency: [10, 30, 60] },
    { who: ['loop', 'footnote'], platform: ['discord'], limits: ['real'], ground: ['threads'] },
    { platform: ['discord'], limits: ['real'], concurrency: [30] },
    {
      who: ['loop', 'footnote'],
      platform: ['discord'],
      limits: ['real'],
      ground: ['new-threads', 'replies'],
      tokens: [400],
    },
    {
      who: ['loop', 'footnote'],
      platform: ['discord'],
      limits: ['real'],
      ground: ['one-channel'],
      concurrency: [5],
    },
  ],
  latency: [{ platform: ['slack', 'discord'], budgets: ['lifted'], latencyMs: [50, 150] }],
  speed: unlimited({ tokensPerSecond: [10, 50, 100], tokens: [150] }),
  length: [
    { who: ['bare'], tokens: [600, 10_000], ...LONG },
    ...unlimited({ tokens: [150, 600, 2_400, 10_000], ...LONG }),
  ],
  history: [
    ...unlimited({ turns: [10, 100, 1_000], concurrency: [20] }),
    ...unlimited({ stored: [10, 1_000, 100_000], concurrency: [20] }),
  ],
};

/** Small enough for CI, on whatever store there is. */
export const SHORT: readonly Values[] = [
  { who: ['bare'], concurrency: [5], tokens: [100] },
  ...unlimited({ who: ['loop', 'footnote'], concurrency: [5], tokens: [100] }),
  { limits: ['real'], concurrency: [10], tokens: [100] },
];

/** Every combination. The bare loop has no platform and no store: it comes once for all of them. */
export function loadsOf(values: Values, base: Load = BASE): Load[] {
  const loads = Object.entries(values).reduce(
    (sofar: Load[], [name, list]) =>
      sofar.flatMap((load) => list.map((value): Load => ({ ...load, [name]: value }))),
    [base],
  );
  const seen = new Set<string>();
  return loads.map(withoutIdle).filter((load) => {
    const key = JSON.stringify(load);
    return !seen.has(key) && seen.add(key);
  });
}

/** What makes no difference to a subject is set to one value, so that it is not run twice. */
function withoutIdle(load: Load): Load {
  if (load.who === 'footnote') return load;
  const idle = { store: 'embedded', budgets: 'own', stored: 0, turns: 0 } as const;
  const platform: PlatformName = 'slack';
  return load.who === 'loop'
    ? { ...load, ...idle }
    : { ...load, ...idle, platform, limits: 'off', ground: 'channel', latencyMs: 0 };
}
