// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, missingChromium } from '../test/e2e/chromium.ts';
import { withDirectory, withServer, type BenchContext } from './bench-context.ts';
import { anyCore } from './child-process.ts';
import { sendCorpus } from './load.ts';
import { createLongTrace, type LongTrace } from './long-trace.ts';
import { formatNumber, quantile, type Table } from './report.ts';

const PROBE = fileURLToPath(new URL('page-probe.js', import.meta.url));
const BUILD_UI = fileURLToPath(new URL('../scripts/build-ui.ts', import.meta.url));

const TRACE_SPANS = 100_000;
/** The root of the long trace starts this long ago, so that the window of a search holds it. */
const TRACE_AGE_MS = 60_000;
/** Pages that are opened in each round. */
const OPENED = 5;
const FRAME_SECONDS = 4;
/** A frame that takes less is in time for a screen that shows 60 a second. */
const FRAME_MS = 17;
/** One turn of the mouse wheel. */
const TURN_PX = 900;
const TURN_MS = 50;
const VIEWPORT = { width: 1400, height: 900 };

const ROWS = '[role=treeitem]';
const RESULTS = '[aria-label=Results] li a';

/** What a page took after it was opened, ms. */
interface Shown {
  readonly shownMs: number;
  readonly answeredMs: number;
}

/** When a frame began and when its work was done, ms. */
interface Frame {
  readonly beginMs: number;
  readonly endMs: number;
}

/** The page in a real browser: a long trace, frames while it is scrolled, and lists of results. */
export async function benchUi(context: BenchContext): Promise<Table[]> {
  const { corpora, options, say } = context;
  if (missingChromium !== undefined) {
    say(`the page is not measured: ${missingChromium}`);
    return [];
  }
  execFileSync(process.execPath, [BUILD_UI], { stdio: 'inherit' });
  const corpus = corpora.get('shop');
  const trace = createLongTrace(TRACE_SPANS, options.seed, Date.now() - TRACE_AGE_MS);
  return await withDirectory(context, (directory) =>
    withServer(context, directory, async (server) => {
      await sendCorpus({
        corpusFile: corpus.file,
        protocol: 'http',
        endpoint: server.otlpHttp,
        workers: options.workers,
      });
      for (const body of trace.bodies) await sendJson(server.otlpHttp, body);
      using _ = context.pinned ? anyCore() : undefined;
      const browser = await launchChromium();
      try {
        say(`Chromium ${browser.version()}`);
        return [
          await openPages(context, browser, server.query, trace),
          await scrollTrace(context, browser, `${server.query}/trace/${trace.traceId}`),
        ];
      } finally {
        await browser.close();
      }
    }),
  );
}

async function sendJson(endpoint: string, body: string): Promise<void> {
  const response = await fetch(`${endpoint}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  if (!response.ok) throw new Error(`the long trace was refused: ${await response.text()}`);
}

async function openPages(
  { options, say }: BenchContext,
  browser: Browser,
  server: string,
  { traceId, service }: LongTrace,
): Promise<Table> {
  const size = TRACE_SPANS.toLocaleString('en-US');
  const pages = [
    { name: `trace of ${size} spans`, path: `/trace/${traceId}`, selector: ROWS },
    { name: '20 newest', path: '/search?limit=20', selector: RESULTS },
    { name: '1,500 newest', path: '/search?limit=1500', selector: RESULTS },
    {
      name: `search that finds the trace of ${size}`,
      path: `/search?service=${service}`,
      selector: RESULTS,
    },
  ];
  const rows: string[][] = [];
  for (const { name, path, selector } of pages) {
    const shown: Shown[] = [];
    for (let i = 0; i < options.rounds * OPENED; i++) {
      shown.push(await withPage(browser, server + path, (page) => untilShown(page, selector)));
    }
    const figures = [
      ...spread(shown.map(({ answeredMs }) => answeredMs)),
      ...spread(shown.map(({ shownMs, answeredMs }) => shownMs - answeredMs)),
      ...spread(shown.map(({ shownMs }) => shownMs)),
    ].map(formatNumber);
    rows.push([name, ...figures, String(shown.length)]);
    say(`${name}: ${figures.join(', ')} ms`);
  }
  return {
    title: `The page in Chromium ${browser.version()} without a GPU and on any core, ms from its opening, and from the answer with the data until it is drawn`,
    columns: [
      'page',
      ...['answered', 'then drawn', 'opened to drawn'].flatMap((what) => [
        `${what} p50`,
        `${what} most`,
      ]),
      'opened',
    ],
    rows,
  };
}

/** The median and the most. */
function spread(times: readonly number[]): number[] {
  return [0.5, 1].map((ratio) => quantile(times, ratio));
}

async function scrollTrace(
  { options, say }: BenchContext,
  browser: Browser,
  url: string,
): Promise<Table> {
  const rows: string[][] = [];
  const scrolls: readonly [name: string, record: (page: Page) => Promise<readonly Frame[]>][] = [
    ['nothing', (page) => recordFrames(page, 0)],
    [`mouse wheel, ${TURN_PX} px each ${TURN_MS} ms`, recordWheel],
    ['120 px in each frame', (page) => recordFrames(page, 120)],
    ['to anywhere in each frame', (page) => recordFrames(page, Number.NaN)],
  ];
  for (const [name, record] of scrolls) {
    const frames: Frame[] = [];
    let inTime = 0;
    let intervals = 0;
    for (let round = 0; round < options.rounds; round++) {
      await withPage(browser, url, async (page) => {
        await untilShown(page, ROWS);
        const recorded = await record(page);
        for (let i = 1; i < recorded.length; i++) {
          intervals++;
          if (recorded[i]!.beginMs - recorded[i - 1]!.beginMs < FRAME_MS) inTime++;
        }
        frames.push(...recorded);
      });
    }
    const work = frames.map(({ beginMs, endMs }) => endMs - beginMs);
    const figures = [
      ...[0.5, 0.95, 1].map((ratio) => formatNumber(quantile(work, ratio))),
      percent(work.filter((ms) => ms < FRAME_MS).length / work.length),
      percent(inTime / intervals),
    ];
    rows.push([name, ...figures, frames.length.toLocaleString('en-US')]);
    say(`frames, ${name}: ${figures.join(', ')}`);
  }
  return {
    title:
      'Frames of the page of that trace while it is scrolled: ms until the work of a frame was done',
    columns: [
      'scrolled by',
      'p50',
      'p95',
      'most',
      `done in ${FRAME_MS}`,
      `next within ${FRAME_MS}`,
      'frames',
    ],
    rows,
  };
}

function percent(ratio: number): string {
  return `${formatNumber(100 * ratio)} %`;
}

async function recordFrames(page: Page, scrollBy: number): Promise<readonly Frame[]> {
  // The probe is ours.
  return await page.evaluate<Frame[]>(`probe.frames(${FRAME_SECONDS}, ${scrollBy})`);
}

/** Two thirds of it down, then up again. */
async function recordWheel(page: Page): Promise<readonly Frame[]> {
  await page.mouse.move(VIEWPORT.width / 2, VIEWPORT.height / 2);
  const recorded = recordFrames(page, 0);
  const beginMs = performance.now();
  const turns = (FRAME_SECONDS * 1000) / TURN_MS;
  for (let i = 0; i < turns; i++) {
    await page.mouse.wheel(0, i < (turns * 2) / 3 ? TURN_PX : -TURN_PX);
    await sleep(beginMs + (i + 1) * TURN_MS - performance.now());
  }
  return await recorded;
}

async function untilShown(page: Page, selector: string): Promise<Shown> {
  // The probe is ours.
  return await page.evaluate<Shown>(`probe.shown('${selector}')`);
}

/** Opens a page as someone who comes for the first time. */
async function withPage<T>(
  browser: Browser,
  url: string,
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    await page.addInitScript({ path: PROBE });
    await page.goto(url, { waitUntil: 'commit' });
    return await work(page);
  } finally {
    await context.close();
  }
}
