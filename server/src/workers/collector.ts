// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel } from 'node:worker_threads';

/** Where threads are told to collect. */
const CHANNEL = 'spoor-collect';

/** Of everything, or of the young generation alone. */
type Collection = 'major' | 'minor';

/** V8's own. It takes an argument that is undefined for a minor collection, and none for a major one. */
type Collector = (options: { readonly type: Collection }) => void;

/** The flag is one for all threads: each unsets it once, perhaps while another makes its context. There are fewer threads than this. */
const MOST_TRIES = 1000;

let collector: Collector | undefined;

/** Has V8 collect on this thread, which scripts cannot otherwise. */
export function collectGarbage(type: Collection): void {
  collector ??= exposedCollector();
  collector({ type });
}

function exposedCollector(): Collector {
  let exposed: Collector | undefined;
  for (let tries = 0; exposed === undefined; tries++) {
    if (tries === MOST_TRIES) throw new Error('V8 does not expose its collector');
    setFlagsFromString('--expose-gc');
    // This is what the flag adds to a context that is made after it.
    exposed = runInNewContext('globalThis.gc') as Collector | undefined;
  }
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
  channel.onmessage = () => collectGarbage('major');
}
