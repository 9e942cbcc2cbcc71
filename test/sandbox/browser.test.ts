import { existsSync } from 'node:fs';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { act, freshDirectory, openSandbox, PLATFORMS, removeDirectory } from './page-client.ts';
import type { Sandbox } from './sandbox.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const isThere = existsSync(CHROMIUM);
const needs = 'Chromium (CHROMIUM_PATH)';
describe.skipIf(!isThere)('the sandbox page in a browser', { timeout: 120_000, meta: { needs } }, () => {
  const directory = freshDirectory();
  let sandbox: Sandbox;
  let browser: Browser;
  beforeAll(async () => {
    sandbox = await openSandbox(directory);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    await sandbox?.close();
    removeDirectory(directory);
  });

  test('lets a person ask, read the growing answer and follow up, on both sides', async () => {
    const { page, faults } = await open(browser, sandbox.url);
    for (const platform of PLATFORMS) await write(page, platform, 'channel', 'How did the tidal plants do?');
    await page.locator('#discord .pane.thread textarea:focus').waitFor();
    await Promise.all(PLATFORMS.map((platform) => readAnswer(page.locator(`#${platform} .pane.thread`))));
    for (const platform of PLATFORMS) await write(page, platform, 'thread', 'What did I ask before?');
    for (const platform of PLATFORMS) {
      await page.locator(`#${platform} .pane.thread`).getByText('Before this you asked:').waitFor();
      await page.locator(`#${platform} .back`).click();
      await page.locator(`#${platform} .thread-chip`).getByText('3 replies').waitFor();
    }
    await page.reload();
    await page.locator('#slack .thread-chip').getByText('3 replies').waitFor();
    expect(faults).toEqual([]);
  });

  test('draws what people and the model write as text, whatever mark-up it holds', async () => {
    const { page, faults } = await open(browser, sandbox.url);
    const evil =
      '<img src=x onerror=alert(1)> [a](javascript:alert(1)) **b** `c` <script>alert(2)</script> ||d|| https://x.example/a';
    for (const platform of PLATFORMS) {
      await page.locator(`#${platform} .channels`).getByText('random').click();
      await page.locator(`#${platform} .chip`).first().click();
      await write(page, platform, 'channel', evil);
      const text = page.locator(`#${platform} .pane.channel .message .text`);
      await text.waitFor();
      expect(await text.textContent()).toContain('<img src=x onerror=alert(1)>');
      expect(await text.locator('img, script, a[href^="javascript"]').count()).toBe(0);
      expect(await text.locator('a').getAttribute('href')).toBe('https://x.example/a');
      expect(await text.locator('code').textContent()).toBe('c');
      expect(await text.locator('strong').count()).toBe(platform === 'discord' ? 1 : 0);
    }
    await write(page, 'slack', 'channel', '/ask Compare the three sites in a table');
    const table = page.locator('#slack table');
    await table.locator('tbody tr').nth(2).waitFor();
    expect(await table.locator('thead th').allTextContents()).toEqual([
      'Site',
      'Rated MW',
      'Output GWh',
      'Note',
    ]);
    expect(faults).toEqual([]);
  });

  test('keeps the keyboard in the thread that "Ask about this" opens, and reads the answer out without mark-up', async () => {
    const { page, faults } = await open(browser, sandbox.url);
    for (const platform of PLATFORMS) {
      await page.locator(`#${platform} .channels`).getByText('random').click();
      await write(page, platform, 'channel', '@footnote Is the *sea* `wide`?');
      await page.locator(`#${platform} .back`).click();
      const asked = page.locator(`#${platform} .pane.channel .message.person`).last();
      expect((await asked.locator('.text').innerText()).match(/@footnote/g)).toHaveLength(1);
      await asked.getByRole('button', { name: 'Ask about this' }).press('Enter');
      await page.locator(`#${platform} .pane.thread textarea:focus`).waitFor();
    }
    const announcer = page.locator('#announcer', { hasText: 'You asked' });
    await announcer.waitFor({ state: 'attached' });
    expect(await announcer.innerText()).not.toMatch(/\*\*|\]\(/);
    expect(faults).toEqual([]);
  });

  test('shows research: its card, whom it notifies elsewhere, and its file to read', async () => {
    const { page, faults } = await open(browser, sandbox.url);
    await act(sandbox.url, { do: 'research-speed', speed: 200 });
    for (const platform of PLATFORMS) {
      await page.locator(`#${platform} .channels`).getByText('general').click();
      await write(page, platform, 'channel', '/research Is it hostile? --effort low --notify dm');
      const card = page.locator(`#${platform} .pane.thread .message.bot`, { hasText: /R-\w{4} · / });
      await card.getByRole('button', { name: 'Stop' }).waitFor();
      expect(await card.innerText()).toContain('low effort');
      await page.locator(`#${platform} .channels`).getByText('random').click();
    }
    for (const [platform, name] of [
      ['slack', 'Slack'],
      ['discord', 'Discord'],
    ]) {
      const side = page.locator(`#${platform}`);
      await page.locator('.notice .open', { hasText: `in a direct message on ${name}` }).click();
      const told = side.locator('.pane.channel .message.pings');
      expect(await told.locator('.mention.me').innerText()).toMatch(/^@ada$/i);
      await told.getByRole('button', { name: /^Open research-R-\w{4}\.md$/ }).click();
      await readReport(page.locator('dialog#file'));
      await page.keyboard.press('Escape');
      expect(await page.locator('dialog#file').isVisible()).toBe(false);
      if (platform === 'slack') await openByLink(page, told);
      await told.getByRole('link', { name: /Where it was asked|discord\.com/ }).click();
      await side.locator('.pane.thread .message.revealed', { hasText: 'Done in' }).waitFor();
    }
    expect(faults).toEqual([]);
  });

  test('stops what is being written, on both sides', async () => {
    const { page, faults } = await open(browser, sandbox.url);
    for (const platform of PLATFORMS) {
      await page.locator(`#${platform} .channels`).getByText('general').click();
      await write(page, platform, 'channel', '@footnote How did the tidal plants do this year?');
      const growing = page.locator(`#${platform} .pane.thread .message.streaming`);
      await growing.getByRole('button', { name: 'Stop' }).click();
      await page.locator(`#${platform} .pane.thread`).getByText('Stopped by').waitFor();
      await page.locator(`#${platform} .back`).click();
    }
    expect(faults).toEqual([]);
  });

  test('can be used with the keyboard alone, and in a narrow window', async () => {
    const { page } = await open(browser, sandbox.url, { width: 480, height: 800 });
    expect(await page.locator('#discord').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Discord' }).press('Enter');
    expect(await page.locator('#slack').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Direct messages with footnote' }).press('Enter');
    const field = page.getByRole('textbox', { name: 'Ask footnote' });
    await field.focus();
    await page.keyboard.type('One line');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('and another');
    await page.keyboard.press('Enter');
    const said = page.locator('#discord .message.person .text');
    await said.waitFor();
    expect(await said.innerText()).toBe('One line\nand another');
    // Whatever it says: earlier tests have written to this person too.
    await page.locator('#discord .message.bot').last().getByRole('button', { name: 'Dig deeper' }).waitFor();
    const isOverflowing = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect(isOverflowing).toBe(false);
  });
});

async function open(browser: Browser, url: string, viewport = { width: 1280, height: 800 }) {
  const page = await browser.newPage({ viewport });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  await page.locator('#service[data-state="ready"]').waitFor();
  return { page, faults };
}

async function write(page: Page, platform: string, pane: 'channel' | 'thread', text: string): Promise<void> {
  const field = page.locator(`#${platform} .pane.${pane} textarea`);
  await field.fill(text);
  await field.press('Enter');
}

/** What a model wrote stays text. */
async function readReport(dialog: Locator): Promise<void> {
  await dialog.getByText('Is it hostile?').first().waitFor();
  await dialog.getByRole('heading', { name: 'Sources' }).waitFor();
  expect(await dialog.locator('.text').textContent()).toContain('<a href="https://evil.example">html</a>');
  expect(await dialog.locator('img, script, .mention, a[href^="javascript"]').count()).toBe(0);
  const download = dialog.getByRole('link', { name: 'Download' });
  expect(await download.getAttribute('download')).toMatch(/^research-R-\w{4}\.md$/);
}

/** Slack's own address of the file leads to no server here. */
async function openByLink(page: Page, told: Locator): Promise<void> {
  await told.getByRole('link', { name: /^research-R-\w{4}\.md$/ }).click();
  await page.locator('dialog#file').getByRole('button', { name: 'Close the file' }).click();
}

/** Sees the answer while it is being written, and then its sources. */
async function readAnswer(thread: Locator): Promise<void> {
  await thread.locator('.message.streaming').waitFor();
  await thread.getByText('The next figures are due in spring').waitFor();
  const source = thread.getByRole('link', { name: 'Tidal power in 2026' });
  await source.waitFor();
  expect(await source.getAttribute('rel')).toContain('noopener');
  expect(await source.getAttribute('target')).toBe('_blank');
  expect(await thread.locator('a.cite').count()).toBeGreaterThanOrEqual(4);
}
