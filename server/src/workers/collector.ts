// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel } from 'node:worker_threads';

/** Where threads are told to collect. */
const CHANNEL = 'spoor-collect';

/** Collects everything, or the young generation alone. */
type Collector = (options?: { readonly type: 'minor' }) => void;

let collector: Collector | undefined;

/** Has V8 collect on this thread, which scripts cannot otherwise: everything unless told. */
export const collectGarbage: Collector = (options) => {
  collector ??= exposedCollector();
  collector(options);
};

function exposedCollector(): Collector {
  setFlagsFromString('--expose-gc');
  // This is what the flag adds to a context that is made after it.
  const exposed = runInNewContext('gc') as Collector;
  // V8 compares flags with those that code was compiled with: later threads would not take what was kept of theirs.
  setFlagsFromString('--no-expose-gc');
  return exposed;
}

/** Tells all other threads of the process to collect; see {@link collectWhenCalled}. */
export class CollectCalls {
  readonly #channel = new BroadcastChannel(CHANNEL);

  constructor() {
    this.#channel.unref();
  }

  call(): void {
    this.#channel.postMessage(undefined);
  }

  close(): void {
    this.#channel.close();
  }
}

/** Has this thread collect when it is told to: one that waits for work has no reason to, and keeps what its last work left behind. */
export function collectWhenCalled(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  channel.onmessage = () => collectGarbage();
}
