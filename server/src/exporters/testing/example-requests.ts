// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { span, spanId, traceId } from '@spoor/core/query/testing/example-span.ts';
import { encodeSpans } from '@spoor/core/query/testing/span-body.ts';
import type { ExportRequest } from '#exporters/sending/transport.ts';

/** A request of one span whose name is the number, padded to about so many bytes. */
export function requestOf(number: number, bytes = 0): ExportRequest {
  const name = String(number).padEnd(bytes, '.');
  const body = encodeSpans([span({ name, traceId: traceId(number + 1), spanId: spanId(1) })]);
  return { tenant: DEFAULT_TENANT, body, spans: 1 };
}

/** Calls that wait until the test moves its clock. */
export class TestClock {
  nowMs = 0;
  #calls: { atMs: number; action: () => void }[] = [];

  /** What a part takes as `later`. */
  readonly later = (action: () => void, delayMs: number): (() => void) => {
    const call = { atMs: this.nowMs + delayMs, action };
    this.#calls.push(call);
    return () => {
      this.#calls = this.#calls.filter((one) => one !== call);
    };
  };

  /** Times until the calls that wait, in order. */
  get delaysMs(): number[] {
    return this.#calls.map(({ atMs }) => atMs - this.nowMs).toSorted((a, b) => a - b);
  }

  /** Lets time pass, and what can run. */
  async pass(ms: number): Promise<void> {
    await turns();
    this.nowMs += ms;
    const due = this.#calls.filter(({ atMs }) => atMs <= this.nowMs);
    this.#calls = this.#calls.filter((call) => !due.includes(call));
    for (const { action } of due) action();
    await turns();
  }
}

/** Lets everything run that can run without an event from outside. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once something is so. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 100_000; i++) {
    if (condition()) return;
    await turns(1);
  }
  throw new Error('it never was so');
}
