import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { fetchFile } from '../../src/core/fetch-file.ts';

async function serve(listener: RequestListener): Promise<{ origin: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const signal = new AbortController().signal;
const maxBytes = 1_000;

test('a file comes with its type', async () => {
  const { origin } = await serve((_, response) =>
    response.setHeader('content-type', 'text/csv; x=y').end('a,b'),
  );
  const file = await fetchFile({ url: `${origin}/a.csv`, origins: new Set([origin]), maxBytes, signal });
  expect(file).toEqual({ bytes: Buffer.from('a,b'), type: 'text/csv' });
});

test('nothing is fetched from anywhere else, whatever the address looks like', async () => {
  const ours = await serve((_, response) => response.end('ours'));
  const theirs = await serve((_, response) => response.end('theirs'));
  const host = (origin: string): string => origin.replace('http://', '');
  const urls = [
    `${theirs.origin}/a.png`,
    `http://${host(ours.origin)}@${host(theirs.origin)}/a.png`,
    `http://user:pass@${host(ours.origin)}/a.png`,
    `http://${host(ours.origin)}.evil.example/a.png`,
    `http://evil.example/?x=${ours.origin}`,
    `http://localhost:${new URL(ours.origin).port}/a.png`,
    `https://${host(ours.origin)}/a.png`,
    `//${host(theirs.origin)}/a.png`,
    'http://127.0.0.1/a.png',
    'http://[::1]/a.png',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'javascript:alert(1)',
    'ftp://example.org/a.png',
    'http://169.254.169.254/latest/meta-data',
    'not an address',
    '',
  ];
  for (const url of urls) {
    const file = await fetchFile({ url, origins: new Set([ours.origin]), maxBytes, signal });
    expect([url, file]).toEqual([url, { problem: 'kept elsewhere' }]);
  }
  expect([...ours.requests, ...theirs.requests]).toEqual([]);
});

test('a redirect is not followed', async () => {
  const theirs = await serve((_, response) => response.end('theirs'));
  const { origin } = await serve((_, response) => response.writeHead(302, { location: theirs.origin }).end());
  const file = await fetchFile({ url: `${origin}/a`, origins: new Set([origin]), maxBytes, signal });
  expect(file).toEqual({ problem: 'kept elsewhere' });
  expect(theirs.requests).toEqual([]);
});

test('a body without end is read up to the limit, a refusal and a cut are told', async () => {
  const { origin } = await serve(({ url }, response) => {
    if (url === '/404') return void response.writeHead(404).end();
    if (url === '/cut') return void response.write('a', () => response.destroy());
    const write = (): void => void response.write('x'.repeat(500), () => setImmediate(write));
    write();
  });
  const get = (path: string) =>
    fetchFile({ url: origin + path, origins: new Set([origin]), maxBytes, signal });
  expect(await get('/endless')).toMatchObject({ problem: expect.stringContaining('larger than') });
  expect(await get('/404')).toEqual({ problem: 'not to be had (404)' });
  expect(await get('/cut')).toEqual({ problem: 'it could not be fetched' });
});
