import '../../src/node-version.js';
import { join, relative, resolve } from 'node:path';
import { GROUPS } from '../../src/config-table.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { startSandbox } from './sandbox.ts';

/** What the sandbox gives the service itself; all its other settings are passed on. */
const OWN =
  /^(?:SLACK_(?!ADMINS).*|DISCORD_(?:TOKEN|APPLICATION_ID|API_URL)|PERPLEXITY_(?:API_KEY|BASE_URL)|DATABASE_URL|DATA_DIR|HOST|PORT|SHUTDOWN_GRACE_SECONDS)$/;
const PASSED_ON = GROUPS.flatMap(({ settings }) => Object.keys(settings)).filter((name) => !OWN.test(name));

const { SANDBOX_PORT, SANDBOX_DIR, PERPLEXITY_API_KEY, PERPLEXITY_BASE_URL, ...rest } = process.env;
const root = join(import.meta.dirname, '..', '..');
const directory = resolve(SANDBOX_DIR || join(root, '.sandbox'));
const sandbox = await startSandbox({
  port: Number(SANDBOX_PORT || 4000),
  directory,
  perplexity: PERPLEXITY_API_KEY
    ? { apiKey: PERPLEXITY_API_KEY, url: PERPLEXITY_BASE_URL || 'https://api.perplexity.ai' }
    : null,
  env: Object.fromEntries(PASSED_ON.flatMap((name) => (rest[name] ? [[name, rest[name]]] : []))),
}).catch((error: unknown) => {
  if (!(error instanceof StoreError)) throw error;
  const remedy = 'Is another sandbox running? Use its page, or give this one its own SANDBOX_DIR.';
  console.error(`${error.message.split(':')[0]}. ${remedy}`);
  process.exit(75);
});

/** npm passes on the ctrl-C that the terminal has already sent to all: one press may come twice. */
const ONE_PRESS_MS = 1_000;
let endingSince: number | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (endingSince !== null && performance.now() - endingSince > ONE_PRESS_MS) process.exit(1);
    if (endingSince !== null) return;
    endingSince = performance.now();
    sandbox.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

// Only now, since whoever reads the address may end it with ctrl-C.
console.log(`Footnote sandbox: ${sandbox.url}`);
console.log(
  PERPLEXITY_API_KEY
    ? 'Answers come from the real Perplexity API, with your key.'
    : 'Answers are scripted; set PERPLEXITY_API_KEY to get real ones.',
);
console.log(
  `Conversations are kept in ${relative(process.cwd(), directory) || directory}. Ctrl-C ends everything.`,
);
