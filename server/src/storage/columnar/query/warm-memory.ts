// SPDX-License-Identifier: Apache-2.0

/** Below what malloc takes from the system for one buffer alone, see `start-settings.ts`. */
const PIECE_BYTES = 64 << 10;

/** Is never let go: it lies behind the rest, which would go back to the system if nothing did. */
const held: ArrayBuffer[] = [];

/**
 * Has the system give, and clear, memory now that buffers will be in soon: to touch 2 MiB for the first time takes 0.2 ms, and up to 5
 * in a virtual machine whose host has to find them. What answers after a start would have to wait for is there before they are asked for.
 */
export function warmMemory(bytes: number): void {
  const pieces: ArrayBuffer[] = [];
  for (let taken = 0; taken < bytes; taken += PIECE_BYTES) {
    const piece = new ArrayBuffer(PIECE_BYTES);
    new Uint8Array(piece).fill(1);
    pieces.push(piece);
  }
  held.push(...pieces.splice(-1));
  // At once, and not when garbage is collected.
  for (const piece of pieces) piece.transfer(0);
}
