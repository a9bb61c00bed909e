// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, skipWithoutChromium } from './chromium.ts';
import { SpoorProcess } from './spoor-process.ts';

const MAIN = fileURLToPath(new URL('../../server/bin/spoor.js', import.meta.url));
const BUILD_UI = fileURLToPath(new URL('../../scripts/build-ui.ts', import.meta.url));
/** How long a page may take to show something, on a busy machine, in ms. */
const PATIENCE_MS = 20_000;

const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const ROOT_ID = 'eee19b7ec3c1b174';
const CHILD_ID = 'eee19b7ec3c1b175';

/** Two spans: a root of `shop` and, 10 ms later, a failed child of `payments` with an event. */
function twoSpans(): string {
  const startNano = BigInt(Date.now() - 5000) * 1_000_000n;
  const at = (ms: number) => String(startNano + BigInt(ms) * 1_000_000n);
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const of = (service: string, span: object) => ({
    resource: { attributes: [text('service.name', service), text('host.name', 'box-1')] },
    scopeSpans: [{ spans: [{ traceId: TRACE_ID, ...span }] }],
  });
  return JSON.stringify({
    resourceSpans: [
      of('shop', {
        spanId: ROOT_ID,
        name: 'POST /orders',
        kind: 2,
        startTimeUnixNano: at(0),
        endTimeUnixNano: at(1240),
      }),
      of('payments', {
        spanId: CHILD_ID,
        parentSpanId: ROOT_ID,
        name: 'charge <b>card</b>',
        kind: 3,
        startTimeUnixNano: at(10),
        endTimeUnixNano: at(883),
        attributes: [text('http.request.method', 'POST'), text('http.route', '/charge')],
        events: [
          { timeUnixNano: at(800), name: 'declined', attributes: [text('why', '余额不足')] },
        ],
        status: { code: 2, message: 'card declined' },
      }),
    ],
  });
}

/** Everything that a browser complains about on this page. */
function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  // Breaches of the content security policy come as console errors as well.
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return complaints;
}

/** A test of the page, which is built before, in a browser of its own. */
function browserTest(name: string, run: (browser: Browser) => Promise<void>): void {
  test(name, { skip: skipWithoutChromium }, async () => {
    execFileSync(process.execPath, [BUILD_UI], { stdio: 'inherit' });
    await using browser = await launchChromium();
    await run(browser);
  });
}

browserTest('from no data to the detail of a span, in a real browser', async (browser) => {
  await using server = await SpoorProcess.start();
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = collectComplaints(page);

  const answer = await page.goto(server.queryUrl);
  assert.match(answer?.headers()['content-security-policy'] ?? '', /script-src 'self';/);
  await page.getByRole('heading', { name: 'Send your first trace' }).waitFor();
  await page.getByRole('tab', { name: 'Python' }).click();
  await page.getByText('opentelemetry-instrument python app.py').waitFor();

  assert.equal((await server.send(twoSpans())).status, 200);
  // Without a touch of the reader.
  const result = page.getByRole('link', {
    name: /^shop POST \/orders, 1\.24.s, 2 spans, 1 error/,
  });
  await result.waitFor();
  assert.equal(new URL(page.url()).pathname, '/search');

  await page.getByLabel('Attributes', { exact: true }).fill('http.route=/nowhere');
  await page.keyboard.press('Enter');
  await page.getByText('No trace matches').waitFor();
  await page.getByLabel('Attributes', { exact: true }).fill('oops');
  await page.keyboard.press('Enter');
  await page.getByText('“oops” has no value').waitFor();
  await page.getByLabel('Attributes', { exact: true }).fill('http.route=/charge error=true');
  await page.keyboard.press('Enter');
  await result.waitFor();
  const traceql = page.getByLabel('TraceQL', { exact: true });
  await traceql.fill('{ name =~ "GET.*" }');
  await page.keyboard.press('Enter');
  await page.getByText('No trace matches').waitFor();
  await traceql.fill('{ event.why != nil && status = error } | count() < 2');
  await page.keyboard.press('Enter');
  await result.waitFor();
  await page.getByLabel('Service', { exact: true }).selectOption('payments');
  await page.getByLabel('Operation', { exact: true }).selectOption('charge <b>card</b>');
  await result.waitFor();
  const searched = [...new URL(page.url()).searchParams];

  await result.click();
  await page.getByRole('tree', { name: 'Spans' }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/trace/${TRACE_ID}`);
  assert.equal(await page.getByRole('treeitem').count(), 2);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Span detail' });
  await detail.getByRole('heading', { name: 'charge <b>card</b>' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('span'), CHILD_ID);
  for (const text of ['error: card declined', '/charge', 'declined', '余额不足', 'box-1']) {
    await detail.getByText(text, { exact: true }).first().waitFor();
  }
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
  await page.goBack();
  await detail.waitFor();

  await page.keyboard.press(']');
  await page.getByText('+1', { exact: true }).waitFor();
  assert.equal(await page.getByRole('treeitem').count(), 1);
  await page.getByRole('link', { name: 'Back to results' }).click();
  await result.waitFor();
  assert.deepEqual([...new URL(page.url()).searchParams], searched);
  assert.deepEqual(complaints, []);

  // The browser itself reports the failed requests, so complaints end here.
  await traceql.fill('{ status = }');
  await page.keyboard.press('Enter');
  await page.getByText('TraceQL: character 12: expected a value, found "}"').waitFor();
  assert.equal(await traceql.getAttribute('aria-invalid'), 'true');
  await traceql.fill('{ status = error }');
  assert.equal(await traceql.getAttribute('aria-invalid'), 'false');
  await page.keyboard.press('Enter');
  await result.waitFor();
  await page.getByRole('textbox', { name: 'Trace id' }).fill('DEADBEEF');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Trace not found' }).waitFor();
});

/** One trace of `batch` for each of these durations, in ms, the later ones started later. */
function batchRuns(durations: readonly number[]): string {
  const startNano = BigInt(Date.now() - 60_000) * 1_000_000n;
  const spans = durations.map((ms, i) => ({
    traceId: (i + 1).toString(16).padStart(32, '0'),
    spanId: 'eee19b7ec3c1b174',
    name: `run of ${ms}`,
    startTimeUnixNano: String(startNano + BigInt(i) * 1_000_000_000n),
    endTimeUnixNano: String(startNano + BigInt(i) * 1_000_000_000n + BigInt(ms) * 1_000_000n),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'batch' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

browserTest('orders, pages and dependencies, by keyboard, in a real browser', async (browser) => {
  await using server = await SpoorProcess.start();
  for (const body of [twoSpans(), batchRuns([30, 10, 50, 20, 40])]) {
    assert.equal((await server.send(body)).status, 200);
  }
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = collectComplaints(page);
  const rows = page.getByRole('link', { name: /^batch run of/ });
  /** Waits until the list is these runs. */
  const shows = async (...runs: number[]): Promise<void> => {
    await rows.nth(runs.length - 1).waitFor();
    const pattern = runs.map((ms) => `run of ${ms},[^]*`).join('');
    await page
      .getByRole('list')
      .filter({ hasText: new RegExp(pattern.replaceAll(',', '')) })
      .waitFor();
    assert.equal(await rows.count(), runs.length);
  };

  await page.goto(`${server.queryUrl}/search?service=batch&limit=2`);
  await shows(40, 20);
  await page.getByLabel('Order').selectOption('longest');
  await shows(50, 40);
  assert.equal(new URL(page.url()).searchParams.get('order'), 'longest');
  const first = page.url();
  await page.getByRole('button', { name: 'Refresh' }).focus();
  await page.keyboard.press('n');
  await shows(30, 20);
  const second = page.url();
  await page.keyboard.press('n');
  await shows(10);
  await page.getByText('This is the last page.').waitFor();
  await page.keyboard.press('p');
  await shows(30, 20);
  assert.equal(page.url(), second);

  // A page is a link like any other, and a trace leads back to it.
  await page.goto(second);
  await shows(30, 20);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('tree', { name: 'Spans' }).waitFor();
  await page.getByRole('link', { name: 'Back to results' }).focus();
  await page.keyboard.press('Enter');
  await shows(30, 20);
  await page.getByRole('link', { name: 'First page' }).focus();
  await page.keyboard.press('Enter');
  await shows(50, 40);
  assert.equal(page.url(), first);

  await page.getByRole('link', { name: 'Dependencies' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('row', { name: /^shop payments call 1 1 100 %/ }).waitFor();
  const calls = page.getByRole('columnheader', { name: 'Calls' });
  assert.equal(await calls.getAttribute('aria-sort'), 'descending');
  await page.getByRole('button', { name: 'Callee' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await calls.getAttribute('aria-sort'), 'none');
  assert.equal(new URL(page.url()).searchParams.get('sort'), 'callee');
  await page.getByRole('link', { name: 'shop', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /^shop POST \/orders/ }).waitFor();
  assert.deepEqual(complaints, []);
});

/** A trace of 400 spans, each the child of the first, which has an event in each of its last 40 ms. */
function manySpans(): string {
  const startNano = BigInt(Date.now() - 5000) * 1_000_000n;
  const at = (ms: number) => String(startNano + BigInt(ms) * 1_000_000n);
  const spans = Array.from({ length: 400 }, (_, i) => ({
    traceId: TRACE_ID,
    spanId: (i + 1).toString(16).padStart(16, '0'),
    ...(i === 0
      ? { events: Array.from({ length: 40 }, (_, e) => ({ timeUnixNano: at(460 + e), name: 'e' })) }
      : { parentSpanId: '1'.padStart(16, '0') }),
    name: `step ${i}`,
    startTimeUnixNano: at(i),
    endTimeUnixNano: at(i === 0 ? 500 : i + 1),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'batch' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

browserTest('all rows of a long trace can be seen, in a real browser', async (browser) => {
  await using server = await SpoorProcess.start();
  assert.equal((await server.send(manySpans())).status, 200);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${server.queryUrl}/trace/${TRACE_ID}`);
  const row = (name: string) => page.getByRole('treeitem', { name: `batch ${name}, ` });
  await row('step 0').waitFor();
  // The row that has the focus is not below the head.
  await page.getByRole('tree', { name: 'Spans' }).focus();
  const head = (await page.getByText('Service and operation').boundingBox())!;
  const first = (await row('step 0').boundingBox())!;
  assert.ok(first.y >= head.y + head.height, `${first.y}, ${head.y} + ${head.height}`);
  // No tick lies over the label inside of the bar.
  const label = (await row('step 0').getByText('500').boundingBox())!;
  for (let x = label.x + 1; x < label.x + label.width; x += 3) {
    const there = `document.elementFromPoint(${x}, ${label.y + label.height / 2}).textContent`;
    assert.match(await page.evaluate<string>(there), /^500.ms$/);
  }
  await page.keyboard.press('End');
  await row('step 399').waitFor();
  const last = (await row('step 399').boundingBox())!;
  assert.ok(last.y > 700 && last.y + last.height <= 800, `${last.y} + ${last.height}`);
  assert.equal(await row('step 0').count(), 0);
});

browserTest(
  'a page says that spans are missing while a block is damaged, in a real browser',
  async (browser) => {
    const directory = mkdtempSync(join(tmpdir(), 'spoor-e2e-'));
    try {
      {
        await using server = await SpoorProcess.start({ directory });
        assert.equal((await server.send(twoSpans())).status, 200);
      }
      execFileSync(process.execPath, [MAIN, 'store', 'compact', '--data', directory]);
      const [block] = globSync(join(directory, 'tenants', 'default', '*.block'));
      truncateSync(block!, statSync(block!).size - 10);

      await using server = await SpoorProcess.start({ directory });
      assert.equal((await server.send(batchRuns([30]))).status, 200);
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const warning = page
        .getByRole('list', { name: 'Warnings' })
        .getByText('this answer may be incomplete: 2 spans in 1 block');
      await page.goto(`${server.queryUrl}/search?service=batch`);
      await page.getByRole('link', { name: /^batch run of 30/ }).waitFor();
      await warning.waitFor();
      await page.goto(`${server.queryUrl}/dependencies`);
      await page.getByText('No calls between services').waitFor();
      await warning.waitFor();
      await page.goto(`${server.queryUrl}/trace/${TRACE_ID}`);
      await page.getByRole('heading', { name: 'Trace not found' }).waitFor();
      await warning.waitFor();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
