import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const GOOD = {
  SLACK_BOT_TOKEN: 'xoxb-1-abc',
  SLACK_APP_TOKEN: 'xapp-1-abc',
  DISCORD_TOKEN: 'MTIz.abc.def',
  PERPLEXITY_API_KEY: 'pplx-abc',
};

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
    ['a bad address', { SLACK_API_URL: 'slack.com' }, 'SLACK_API_URL', 'not an http(s) address'],
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
    ['a model that does not exist', { DEFAULT_MODEL: 'gpt-4' }, 'DEFAULT_MODEL', 'use sonar'],
    [
      'a domain that is an address',
      { SEARCH_DOMAINS: 'https://a.b/c' },
      'SEARCH_DOMAINS',
      'takes host names',
    ],
    ['a key in quotes', { PERPLEXITY_API_KEY: "'pplx-abc'" }, 'PERPLEXITY_API_KEY', 'quotes'],
    ['a fraction', { PORT: '1.5' }, 'PORT', 'whole number'],
  ])('%s is explained', (_what, change, variable, remedy) => {
    expect(faultsOf({ ...GOOD, ...change })[variable]).toContain(remedy);
  });

  test('the Agent API can be sent something else for a model name', () => {
    const { perplexity } = readConfig({ ...GOOD, AGENT_PROFILES: '{"sonar-pro":{"preset":"low"}}' });
    expect(perplexity.profiles).toEqual({ 'sonar-pro': { agent: { preset: 'low' } } });
    const research = readConfig({ ...GOOD, AGENT_PROFILES: '{"sonar-deep-research":{"preset":"high"}}' });
    expect(research.perplexity.profiles).toEqual({ 'sonar-deep-research': { agent: { preset: 'high' } } });
  });

  test('a database password may hold a bare percent sign, and is kept out of logs all the same', () => {
    const { secrets } = readConfig({ ...GOOD, DATABASE_URL: 'postgres://u:100%pass@127.0.0.1/db' });
    expect(secrets).toContain('100%pass');
  });

  test('names that look like ours and are not are told', () => {
    expect(readConfig({ ...GOOD, DISCORD_TREADS: 'never', OTHER: 'x' }).unknown).toEqual(['DISCORD_TREADS']);
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
