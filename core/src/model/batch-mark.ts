// SPDX-License-Identifier: Apache-2.0

/** A place in a batch to go back to; valid until the next mark, rollback or finish. */
export interface BatchMark {
  readonly epoch: number;
  readonly rows: number;
  readonly events: number;
  readonly links: number;
  readonly columns: number;
  readonly shapes: number;
  readonly symbols: readonly number[];
  readonly rowCells: number;
  readonly eventCells: number;
  readonly linkCells: number;
}
