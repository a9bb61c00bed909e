// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessMeter } from './process-usage.ts';
import type { ServerProcess } from './server-process.ts';

const POLL_MS = 250;
/** Polls in a row in which the server did next to nothing. */
const QUIET_POLLS = 4;
/** Below this part of one core it does next to nothing; reading its status costs something too. */
const QUIET_CORE_SHARE = 0.06;

/** What to wait for. */
export interface SettleOptions {
  /** Spans that may still be in no block. */
  readonly headSpans: number;
  readonly timeoutMs: number;
}

/** How it ended. */
export interface Settled {
  readonly cpuSeconds: number;
  /** Spans in no block, NaN where the server does not say. */
  readonly headSpans: number;
  /** False when the time was over first. */
  readonly quiet: boolean;
}

/** Waits until the server has sealed what it got and does nothing any more. */
export async function settle(
  server: ServerProcess,
  meter: ProcessMeter,
  options: SettleOptions,
): Promise<Settled> {
  const limitMs = performance.now() + options.timeoutMs;
  let quietPolls = 0;
  let { cpuSeconds } = meter.read(server.pid);
  let quietSeconds = cpuSeconds;
  for (;;) {
    await sleep(POLL_MS);
    const figures = await server.figures();
    const headSpans = figures.get('store.store_head_spans') ?? Number.NaN;
    const now = meter.read(server.pid).cpuSeconds;
    const busy = now - cpuSeconds > (POLL_MS / 1000) * QUIET_CORE_SHARE;
    const open =
      headSpans > options.headSpans || (figures.get('store.store_waiting_writes') ?? 0) > 0;
    if (quietPolls === 0 || busy) quietSeconds = now;
    quietPolls = busy || open ? 0 : quietPolls + 1;
    cpuSeconds = now;
    // The time of the quiet polls is the polling's own: it does not count.
    if (quietPolls >= QUIET_POLLS) return { cpuSeconds: quietSeconds, headSpans, quiet: true };
    if (performance.now() > limitMs) return { cpuSeconds: now, headSpans, quiet: false };
  }
}
