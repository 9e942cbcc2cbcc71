import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const CONFIG = new URL('../src/config.ts', import.meta.url).href;

const TOKENS = {
  SLACK_BOT_TOKEN: 'xoxb-1-abc',
  SLACK_APP_TOKEN: 'xapp-1-abc',
  DISCORD_TOKEN: 'MTIz.abc.def',
  PERPLEXITY_API_KEY: 'pplx-abc',
};

const GOOD = { ...TOKENS, SLACK_ADMINS: 'U0123', DISCORD_ADMINS: '12345678901234567' };

const UNSEEN = 'holds an invisible or non-ASCII character: copy it again';

function faultsOf(env: Record<string, string | undefined>): Record<string, string> {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError)
      return Object.fromEntries(error.faults.map((f) => [f.variable, f.remedy]));
    throw error;
  }
  return {};
}

describe('readConfig', () => {
  test('tokens alone are enough', () => {
    const config = readConfig(GOOD);
    expect(config.slack?.apiUrl).toBe('https://slack.com/api/');
    expect(config.discord?.apiUrl).toBeNull();
    expect(config.perplexity).toMatchObject({ api: 'auto', baseUrl: 'https://api.perplexity.ai' });
    expect(config.store).toEqual({ databaseUrl: null, dataDir: 'data' });
  });

  test('either platform may be left out, also by empty variables', () => {
    expect(readConfig({ ...GOOD, DISCORD_TOKEN: '' }).discord).toBeNull();
    expect(readConfig({ ...GOOD, SLACK_BOT_TOKEN: ' ', SLACK_APP_TOKEN: undefined }).slack).toBeNull();
  });

  test('without admins it says how to name some', () => {
    expect(readConfig(TOKENS).warnings).toEqual([
      expect.stringMatching(/^SLACK_ADMINS names nobody.*Copy member ID/),
      expect.stringMatching(/^DISCORD_ADMINS names nobody.*Copy User ID/),
    ]);
    expect(readConfig({ ...TOKENS, SLACK_ADMINS: 'U0123', DISCORD_TOKEN: '' }).warnings).toEqual([]);
  });

  test('with neither platform both are named, and the sandbox', () => {
    const faults = faultsOf({ PERPLEXITY_API_KEY: 'pplx-1' });
    expect(Object.keys(faults)).toEqual(['SLACK_BOT_TOKEN, SLACK_APP_TOKEN, DISCORD_TOKEN']);
    expect(Object.values(faults)[0]).toContain('npm run sandbox');
  });

  test('all faults are listed at once', () => {
    const faults = faultsOf({
      ...GOOD,
      PORT: 'x',
      TEMPERATURE: '9',
      PERPLEXITY_API: 'both',
      DATABASE_URL: 'mysql://x',
    });
    expect(Object.keys(faults).sort()).toEqual(['DATABASE_URL', 'PERPLEXITY_API', 'PORT', 'TEMPERATURE']);
  });

  test.each([
    [
      'swapped Slack tokens',
      { SLACK_BOT_TOKEN: 'xapp-1', SLACK_APP_TOKEN: 'xoxb-1' },
      'SLACK_BOT_TOKEN',
      'swap the two',
    ],
    ['a user token', { SLACK_BOT_TOKEN: 'xoxp-1' }, 'SLACK_BOT_TOKEN', 'does not begin with xoxb-'],
    ['one Slack token only', { SLACK_APP_TOKEN: '' }, 'SLACK_APP_TOKEN', 'missing or empty'],
    ['a Slack token for Discord', { DISCORD_TOKEN: 'xoxb-1' }, 'DISCORD_TOKEN', 'another service'],
    ['a Slack token for Perplexity', { PERPLEXITY_API_KEY: 'xoxb-1' }, 'PERPLEXITY_API_KEY', 'Slack token'],
    ['no Perplexity key', { PERPLEXITY_API_KEY: '' }, 'PERPLEXITY_API_KEY', 'missing or empty'],
    ['a token with white space', { DISCORD_TOKEN: 'a b' }, 'DISCORD_TOKEN', 'white space'],
    ['a bad address', { SLACK_API_URL: 'slack.com' }, 'SLACK_API_URL', 'must be an http(s) address'],
    [
      'a Discord setting without its token',
      { DISCORD_TOKEN: '', DISCORD_API_URL: 'http://x' },
      'DISCORD_TOKEN',
      'missing',
    ],
    [
      'a profile that does not exist',
      { AGENT_PROFILES: '{"gpt":{}}' },
      'AGENT_PROFILES',
      'must be JSON such as',
    ],
    ['a profile table that is no JSON', { AGENT_PROFILES: 'low' }, 'AGENT_PROFILES', 'must be JSON such as'],
    ['a model that does not exist', { DEFAULT_MODEL: 'gpt-4' }, 'DEFAULT_MODEL', 'must be sonar'],
    [
      'a domain that is an address',
      { SEARCH_DOMAINS: 'https://a.b/c' },
      'SEARCH_DOMAINS',
      'must be host names',
    ],
    ['a key in quotes', { PERPLEXITY_API_KEY: "'pplx-abc'" }, 'PERPLEXITY_API_KEY', 'quotes'],
    [
      'a key with an invisible character',
      { PERPLEXITY_API_KEY: 'pplx-abc\u200b' },
      'PERPLEXITY_API_KEY',
      UNSEEN,
    ],
    ['a shortened key', { PERPLEXITY_API_KEY: 'pplx-…' }, 'PERPLEXITY_API_KEY', UNSEEN],
    ['an invisible character in a token', { DISCORD_TOKEN: 'a.b.c\u200b' }, 'DISCORD_TOKEN', UNSEEN],
    ['one in front of a token', { SLACK_BOT_TOKEN: '\u2060xoxb-1' }, 'SLACK_BOT_TOKEN', UNSEEN],
    ['a control character in a token', { SLACK_APP_TOKEN: 'xapp-1\u0007' }, 'SLACK_APP_TOKEN', UNSEEN],
    ['quotes around a list', { SLACK_ADMINS: '"U0123,U0456"' }, 'SLACK_ADMINS', 'without quotes'],
    ['a name instead of an id', { DISCORD_ADMINS: 'ada' }, 'DISCORD_ADMINS', '17 to 20 digits'],
    [
      'one name for two commands',
      { SLACK_ASK_COMMAND: '/ask', SLACK_RESEARCH_COMMAND: '/ask' },
      'SLACK_RESEARCH_COMMAND',
      'is the same as SLACK_ASK_COMMAND',
    ],
    ['the name of another command', { SLACK_ASK_COMMAND: '/jobs' }, 'SLACK_JOBS_COMMAND', 'is the same as'],
    ['a proxy switch that Node ignores', { NODE_USE_ENV_PROXY: 'true' }, 'NODE_USE_ENV_PROXY', '0 or 1'],
    ['21 domains', { SEARCH_DOMAINS: 'a.b,'.repeat(21) }, 'SEARCH_DOMAINS', 'more than 20'],
    ['a fraction', { PORT: '1.5' }, 'PORT', 'whole number'],
  ])('%s is explained', (_what, change, variable, remedy) => {
    expect(faultsOf({ ...GOOD, ...change })[variable]).toContain(remedy);
  });

  test('the lowest tier, unless the rate of the key is set; 0 is no limit', () => {
    const rates = (env: Record<string, string>) => readConfig({ ...GOOD, ...env }).perplexity.rates;
    expect(rates({})).toEqual({
      agent: { perSecond: 1, perMinute: 50, mayRise: true },
      chat: { perSecond: null, perMinute: 50, mayRise: true },
      'chat-submit': { perSecond: null, perMinute: 5, mayRise: false },
      'chat-poll': { perSecond: null, perMinute: 1_000, mayRise: false },
    });
    const tier2 = { PERPLEXITY_REQUESTS_PER_SECOND: '8', PERPLEXITY_REQUESTS_PER_MINUTE: '500' };
    const both = { perSecond: 8, perMinute: 500, mayRise: false };
    expect(rates(tier2)).toMatchObject({ agent: both, chat: both });
    const lifted = { perSecond: null, perMinute: null };
    const none = { PERPLEXITY_REQUESTS_PER_SECOND: '0', PERPLEXITY_REQUESTS_PER_MINUTE: '0' };
    expect(rates(none)).toMatchObject({ agent: lifted, chat: lifted });
  });

  test.each([
    [{ PERPLEXITY_REQUESTS_PER_MINUTE: '500' }, { perSecond: 10, perMinute: 500, mayRise: false }],
    [{ PERPLEXITY_REQUESTS_PER_MINUTE: '20' }, { perSecond: 1, perMinute: 20, mayRise: false }],
    [{ PERPLEXITY_REQUESTS_PER_SECOND: '8' }, { perSecond: 8, perMinute: 400, mayRise: false }],
    [{ PERPLEXITY_REQUESTS_PER_SECOND: '0' }, { perSecond: null, perMinute: null }],
    [{ PERPLEXITY_REQUESTS_PER_MINUTE: '0' }, { perSecond: null, perMinute: null }],
  ])('%o is enough: the other rate follows from it', (env, agent) => {
    expect(readConfig({ ...GOOD, ...env }).perplexity.rates).toMatchObject({ agent });
  });

  test('the Agent API can be sent something else for a model name', () => {
    const { perplexity } = readConfig({ ...GOOD, AGENT_PROFILES: '{"sonar-pro":{"preset":"low"}}' });
    expect(perplexity.profiles).toEqual({ 'sonar-pro': { agent: { preset: 'low' } } });
    const research = readConfig({ ...GOOD, AGENT_PROFILES: '{"sonar-deep-research":{"preset":"high"}}' });
    expect(research.perplexity.profiles).toEqual({ 'sonar-deep-research': { agent: { preset: 'high' } } });
  });

  test('what is kept out of logs is every token', () => {
    expect(readConfig(GOOD).secrets.toSorted()).toEqual(Object.values(TOKENS).toSorted());
  });

  test('a database password may hold a bare percent sign, and is kept out of logs all the same', () => {
    const { secrets } = readConfig({ ...GOOD, DATABASE_URL: 'postgres://u:100%pass@127.0.0.1/db' });
    expect(secrets).toContain('100%pass');
  });

  test.each([
    [{ DISCORD_TREADS: 'never', OTHER: 'x' }, 'DISCORD_TREADS is no setting: did you mean DISCORD_THREADS?'],
    [{ DEFUALT_MODEL: 'sonar' }, 'DEFUALT_MODEL is no setting: did you mean DEFAULT_MODEL?'],
    [{ data_dir: '/data' }, 'data_dir is no setting: did you mean DATA_DIR?'],
    [{ SLACK_SIGNING_SECRET: 'x' }, 'SLACK_SIGNING_SECRET is no setting (docs/settings.md)'],
    [{ HTTPS_PROXY: 'http://proxy:1' }, 'HTTPS_PROXY is not used: set NODE_USE_ENV_PROXY=1 as well'],
    [
      { DEFAULT_MODEL: 'sonar-reasoning' },
      'sonar-reasoning no longer exists: sonar-reasoning-pro answers instead.',
    ],
  ])('%j can run, and is warned of', (env, warning) => {
    expect(readConfig({ ...GOOD, ...env }).warnings).toEqual([warning]);
  });

  test.each([
    ['FOLOW', 'FOLLOW'],
    ['FOLLOWW', 'FOLLOW'],
    ['PROT', 'PORT'],
    ['PERPLEXITY_KEY', 'PERPLEXITY_API_KEY'],
  ])('%s in .env is told with %s', (name, meant) => {
    const { warnings } = readConfig({ ...GOOD, [name]: 'x' }, [name]);
    expect(warnings).toEqual([`${name} is no setting: did you mean ${meant}?`]);
  });

  test('what others have in the environment is no business of ours', () => {
    const others = [
      'HOSTNAME',
      'HOSTTYPE',
      'LOGNAME',
      'DATADIR',
      'npm_config_port',
      'PGPORT',
      'XDG_DATA_DIRS',
      'http_proxy',
      'no_proxy',
      'ftp_proxy',
      'FTP_PROXY',
      'ALL_PROXY',
    ];
    const env = Object.fromEntries(others.map((name) => [name, 'x']));
    expect(readConfig({ ...GOOD, ...env }).warnings).toEqual([]);
  });

  test('a misspelt name is told beside what is missing because of it', () => {
    const { PERPLEXITY_API_KEY: key, ...others } = GOOD;
    expect(faultsOf({ ...others, PERPLEXITY_APIKEY: key })).toEqual({
      PERPLEXITY_API_KEY: expect.stringContaining('is missing or empty'),
      PERPLEXITY_APIKEY: 'is no setting: did you mean PERPLEXITY_API_KEY?',
    });
  });

  test('no value is ever part of a message', () => {
    const secret = fc.string({ minLength: 12 }).map((s) => `s3cr3t${s}`);
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(GOOD), 'DATABASE_URL', 'PORT', 'SLACK_API_URL'),
        secret,
        (name, value) => {
          expect(JSON.stringify(faultsOf({ ...GOOD, [name]: value }))).not.toContain('s3cr3t');
        },
      ),
    );
  });
});

describe('.env', () => {
  const TEXT = 'PERPLEXITY_API_KEY=pplx-abc\r\nDATA_DIR="my data" # here\r\nPORT=1\r\n';
  const MARK = '\uFEFF';
  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

  /** Reads it in a folder of its own; returns what the environment holds then. */
  function load(bytes: Buffer, env: Record<string, string> = {}): Record<string, string | undefined> {
    const folder = mkdtempSync(join(tmpdir(), 'footnote-'));
    writeFileSync(join(folder, '.env'), bytes);
    const script = `import { loadEnvFile } from ${JSON.stringify(CONFIG)};
      try { loadEnvFile(); } catch (error) { process.env.FAULT = error.message; }
      process.stdout.write(JSON.stringify(process.env));`;
    const args = ['--input-type=module-typescript', '--eval', script];
    const stdout = execFileSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    return JSON.parse(stdout) as Record<string, string>;
  }

  test.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 behind a byte order mark', Buffer.from(MARK + TEXT)],
    ['UTF-16, as PowerShell writes it', Buffer.from(MARK + TEXT, 'utf16le')],
    ['UTF-16 with the other byte order', swapped(MARK + TEXT)],
  ])('may be %s', (_what, bytes) => {
    expect(load(bytes)).toMatchObject({ PERPLEXITY_API_KEY: 'pplx-abc', DATA_DIR: 'my data', PORT: '1' });
  });

  test('the environment wins, also with an empty variable', () => {
    const env = { DATA_DIR: '/elsewhere', PORT: '' };
    expect(load(Buffer.from(TEXT), env)).toMatchObject({ PERPLEXITY_API_KEY: 'pplx-abc', ...env });
  });

  test.each([
    ['UTF-16 without a mark', Buffer.from(TEXT, 'utf16le')],
    ['Latin-1', Buffer.from('SYSTEM_PROMPT=fran\u00e7ais\n', 'latin1')],
  ])('in %s is named', (_what, bytes) => {
    expect(load(bytes)['FAULT']).toBe('.env: is not UTF-8 text: save it as UTF-8');
  });

  test('cannot hold what Node has read before it, and this is said', () => {
    const folder = mkdtempSync(join(tmpdir(), 'footnote-'));
    writeFileSync(join(folder, '.env'), 'NODE_EXTRA_CA_CERTS=/etc/ssl/company.pem\n');
    const script = `import { loadConfig } from ${JSON.stringify(CONFIG)};
      process.stdout.write(JSON.stringify(loadConfig().warnings));`;
    const args = ['--input-type=module-typescript', '--eval', script];
    const stdout = execFileSync(process.execPath, args, { cwd: folder, env: GOOD, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(JSON.parse(stdout)).toEqual([
      'NODE_EXTRA_CA_CERTS in .env comes too late for Node: set it in the environment',
    ]);
  });

  test('names its proxies, or what is wrong with them', () => {
    const proxies = (address: string): Buffer =>
      Buffer.from(`NODE_USE_ENV_PROXY=1\nHTTPS_PROXY=${address}\n`);
    expect(load(proxies('http://127.0.0.1:9'))['FAULT']).toBeUndefined();
    expect(load(proxies('proxy.example:3128'))['FAULT']).toMatch(
      /^HTTPS_PROXY, HTTP_PROXY: must be addresses/,
    );
  });
});
