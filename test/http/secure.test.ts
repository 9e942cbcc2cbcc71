import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { post } from '../../src/http/post.ts';
import { createStreamingFetch } from '../../src/http/streaming-fetch.ts';

const isThere = spawnSync('openssl', ['version']).status === 0;
if (!isThere) process.stdout.write('skipped: HTTPS (no openssl to make a certificate with)\n');

describe.skipIf(!isThere)('over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'footnote-tls-'));
  const trusted = getCACertificates('default');
  let server: Server;
  let certificate: string;
  const resumed: boolean[] = [];
  let port = 0;
  const LONG = 'tide '.repeat(1_000);
  let isLong = false;
  let sent = Promise.withResolvers<void>();

  beforeAll(async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], {
      stdio: 'ignore',
    });
    certificate = readFileSync(cert, 'utf8');
    server = createServer({ key: readFileSync(key), cert: certificate }, (request, response) => {
      request.resume();
      request.on('end', () => {
        if (isLong) {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          for (let i = 0; i < 8; i++) response.write(LONG);
          response.end(() => sent.resolve());
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream', connection: 'close' });
        for (let i = 0; i < 50; i++) response.write(`${i} `);
        response.end('end');
      });
    });
    server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    await new Promise<void>((resolve) => {
      server.listen(0, resolve);
    });
    port = (server.address() as AddressInfo).port; // a TCP server that listens
  });
  afterAll(() => {
    setDefaultCACertificates(trusted);
    rmSync(folder, { recursive: true });
    server.closeAllConnections();
    server.close();
  });

  afterEach(() => {
    isLong = false;
  });

  const ask = () => post(new URL(`https://localhost:${port}/`), {}, 'x', 5_000);

  test('a host is not believed without a certificate that is trusted', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  const WHOLE = `${Array.from({ length: 50 }, (_, i) => `${i} `).join('')}end`;

  test('a stream is read as it comes, also after a pause', async () => {
    setDefaultCACertificates([...trusted, certificate]);
    const { fetch, streamOf } = createStreamingFetch();
    const body = streamOf(await fetch(`https://localhost:${port}/`, { method: 'POST', body: 'x' }));
    let text = '';
    for (let part = await body?.read(); part; part = await body?.read()) {
      text += part;
      body?.pause();
    }
    expect(text).toBe(WHOLE);
  });

  test('a connection that was paused is used again, though it was read to its end', async () => {
    setDefaultCACertificates([...trusted, certificate]);
    isLong = true;
    const { fetch, streamOf } = createStreamingFetch();
    for (let i = 0; i < 4; i++) {
      sent = Promise.withResolvers();
      const body = streamOf(await fetch(`https://localhost:${port}/`, { method: 'POST', body: 'x' }));
      let length = 0;
      for (let part = await body?.read(); part; part = await body?.read()) {
        length += part.length;
        body?.pause();
        // All is on its way then, and what TLS already holds comes in spite of the pause.
        await sent.promise;
        for (let turn = 0; turn < 5; turn++) await nextTurn();
      }
      expect(length).toBe(LONG.length * 8);
    }
  });

  test('a host that was spoken to before is greeted the short way', async () => {
    setDefaultCACertificates([...trusted, certificate]);
    expect(await ask()).toMatchObject({ status: 200, text: WHOLE });
    resumed.length = 0;
    expect(await ask()).toMatchObject({ status: 200, text: WHOLE });
    expect(resumed).toEqual([true]);
  });

  test('the wrong name is refused', async () => {
    setDefaultCACertificates([...trusted, certificate]);
    await expect(post(new URL(`https://127.0.0.1:${port}/`), {}, 'x', 5_000)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});
