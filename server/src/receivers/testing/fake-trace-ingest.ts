// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type {
  IngestFormat,
  IngestOptions,
  IngestResult,
  Sender,
  TraceIngest,
} from '#pipeline/trace-ingest.ts';

/** One call of {@link FakeTraceIngest.ingest}. */
export interface IngestCall {
  readonly tenant: Tenant;
  readonly format: IngestFormat;
  /** A copy of the body when the call came. */
  readonly body: Buffer;
  readonly sender: Sender | undefined;
  readonly once: boolean;
}

/**
 * For tests of receivers: keeps what it is given and answers as told. It checks that the body
 * stays the same until it answers.
 */
export class FakeTraceIngest implements TraceIngest {
  readonly calls: IngestCall[] = [];
  /** The answer, or the error to throw, made for each call. */
  answer: (call: IngestCall) => IngestResult | Promise<IngestResult> = () => ({
    accepted: 1,
    rejected: 0,
    message: '',
  });
  #waiters: (() => void)[] = [];

  async ingest(
    tenant: Tenant,
    format: IngestFormat,
    body: Uint8Array,
    options?: IngestOptions,
  ): Promise<IngestResult> {
    const call = {
      tenant,
      format,
      body: Buffer.from(body),
      sender: options?.sender,
      once: options?.once ?? false,
    };
    this.calls.push(call);
    for (const waiter of this.#waiters.splice(0)) waiter();
    const result = await this.answer(call);
    if (!call.body.equals(body)) throw new Error('body changed before the answer');
    return result;
  }

  /** Resolves once `count` calls have come. */
  async called(count: number): Promise<void> {
    while (this.calls.length < count) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}
