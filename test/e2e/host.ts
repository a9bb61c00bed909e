// SPDX-License-Identifier: Apache-2.0

/** Where a process runs that is to be as on a host of its own. */
export interface Host {
  /** IPv4 address on which it has its usual ports. */
  readonly address: string;
  /** Words before its command; they put it there and become the command, with the same process id. */
  readonly launcher: readonly string[];
}
