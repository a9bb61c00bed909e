// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';

/** What this file uses of Node's HTTP parser, which its types do not have. */
interface RawParser {
  /** Its handlers by number; `constructor` says which is whose. */
  [handler: number]: unknown;
  readonly constructor: { readonly kOnBody?: unknown };
}

/**
 * Lets Node's parser pass over the rest of a body without making buffers of it: they are what refusing a usual request
 * mostly costs. Nothing happens, and Node drops what it has read, where the parser does not look as expected.
 * @returns sets the parser right again: to be called before the next body, and when the socket closes, as parsers are used again
 */
export function skipBody(socket: Socket): (() => void) | undefined {
  // Node's own property; undefined or null when there is no parser any more.
  const parser = (socket as { parser?: RawParser | null }).parser ?? undefined;
  const kOnBody = parser?.constructor.kOnBody;
  if (parser === undefined || typeof kOnBody !== 'number') return undefined;
  const onBody = parser[kOnBody];
  if (typeof onBody !== 'function') return undefined;
  parser[kOnBody] = undefined;
  return () => {
    parser[kOnBody] = onBody;
  };
}
