import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as forward, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createPerplexity } from '../../src/perplexity/perplexity.ts';
import { outcomeOf, question } from '../contracts/model.ts';
import { type PerplexityServer, startPerplexityServer } from '../servers/perplexity/server.ts';
import { startProxy } from '../support/proxy.ts';
import { createSilentLog } from './silent-log.ts';

let perplexity: PerplexityServer;
beforeAll(async () => {
  perplexity = await startPerplexityServer();
});
afterAll(() => perplexity.close());

/** Asks the model from a process of its own. */
async function askFromProcess(
  api: 'chat' | 'agent',
  baseUrl: string,
  env: Readonly<Record<string, string>>,
): Promise<unknown> {
  const args = [join(import.meta.dirname, 'through-proxy.ts'), api, perplexity.apiKey, baseUrl];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port; // A TCP server that listens.
}

const ANSWERED = { failure: null, text: expect.stringMatching(/^You asked/) };

describe('a proxy', () => {
  test.for(['chat', 'agent'] as const)('is used by a process that was told to (%s)', async (api) => {
    const { url, asked, close } = await startProxy();
    onTestFinished(close);
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, NO_PROXY: '' };
    expect(await askFromProcess(api, perplexity.url, env)).toMatchObject(ANSWERED);
    expect(asked).toEqual([new URL(perplexity.url).host]);
  });

  test('is not used for hosts that are excepted', async () => {
    const { url, asked, close } = await startProxy();
    onTestFinished(close);
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, NO_PROXY: '127.0.0.1' };
    expect(await askFromProcess('chat', perplexity.url, env)).toMatchObject(ANSWERED);
    expect(asked).toEqual([]);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const needs = 'openssl';

describe.skipIf(!hasOpenssl)('a certificate of an unknown authority', { meta: { needs } }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  beforeAll(() => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', cert];
    const options = { stdio: 'ignore' } as const;
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], options);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The stand-in behind TLS. */
  async function startTls(): Promise<number> {
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      ({ method, url, headers }, response) => {
        const onward = forward(`${perplexity.url}${url}`, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        response.req.pipe(onward);
      },
    );
    return listen(server);
  }

  test('is refused, in one line that says what to do', async () => {
    const { failure } = await ask(`https://localhost:${await startTls()}`);
    expect(failure).toMatchObject({
      kind: 'unreachable',
      ambiguous: false,
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    expect(failure?.remedy).toMatch(/NODE_EXTRA_CA_CERTS/);
    expect(failure?.message).toBe(
      `Perplexity could not be reached (DEPTH_ZERO_SELF_SIGNED_CERT): ${failure?.remedy}`,
    );
  });

  test('is believed by a process that was given the authority', async () => {
    const url = `https://localhost:${await startTls()}`;
    expect(await askFromProcess('chat', url, { NODE_EXTRA_CA_CERTS: cert })).toMatchObject(ANSWERED);
  });

  test('for another name is refused as that', async () => {
    const url = `https://127.0.0.1:${await startTls()}`;
    expect(await askFromProcess('chat', url, { NODE_EXTRA_CA_CERTS: cert })).toMatchObject({
      failure: {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
        remedy: expect.stringContaining('PERPLEXITY_BASE_URL'),
      },
    });
  });
});

function ask(baseUrl: string) {
  const { log } = createSilentLog();
  const { model } = createPerplexity({ apiKey: perplexity.apiKey, baseUrl, api: 'chat', log });
  return outcomeOf(model, question('How are the tides?'));
}

test('a redirect is not followed: the key is for the configured address only', async () => {
  const elsewhere: (string | undefined)[] = [];
  const other = await listen(
    createServer((request, response) => {
      elsewhere.push(request.url);
      response.end();
    }),
  );
  const server = createServer((_, response) =>
    response.writeHead(308, { location: `http://127.0.0.1:${other}/` }).end(),
  );
  const { failure } = await ask(`http://127.0.0.1:${await listen(server)}`);
  expect(failure).toMatchObject({ kind: 'unreachable', status: 308 });
  expect(failure?.remedy).toMatch(/PERPLEXITY_BASE_URL/);
  expect(elsewhere).toEqual([]);
});
