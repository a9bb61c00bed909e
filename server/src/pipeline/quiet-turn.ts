// SPDX-License-Identifier: Apache-2.0

/** What comes without a pause is waited for no longer than this, in ms: about one `fdatasync`. */
const MOST_MS = 2;

/**
 * Waits for more of what is coming.
 * @param count of what has come
 * @param done called once, when nothing more is waited for
 */
export type Gathering = (count: () => number, done: () => void) => void;

/**
 * Gathers until the event loop has gone round and brought nothing more, or for {@link MOST_MS}. With nothing under
 * way that is some 20 µs; under load it is as long as the senders that are ready take.
 */
export function untilQuiet(
  count: () => number,
  done: () => void,
  nowMs = (): number => performance.now(),
): void {
  const startMs = nowMs();
  let before = count();
  const look = (): void => {
    const now = count();
    if (now === before || nowMs() - startMs >= MOST_MS) {
      done();
      return;
    }
    before = now;
    nextTurn(look);
  };
  nextTurn(look);
}

/** After the next look at the sockets and all that is done with what they brought: some of that happens in the phase of this call. */
function nextTurn(look: () => void): void {
  setImmediate(() => setImmediate(look));
}
