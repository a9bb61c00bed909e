// SPDX-License-Identifier: Apache-2.0

/** What an edge between services stands for. */
export const EdgeKind = { call: 0, messaging: 1, database: 2 } as const;
export type EdgeKind = (typeof EdgeKind)[keyof typeof EdgeKind];

/** Words for the kinds, by their number. */
export const EDGE_KIND_NAMES = ['call', 'messaging', 'database'] as const;
