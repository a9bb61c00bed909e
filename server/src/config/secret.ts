// SPDX-License-Identifier: Apache-2.0

/** Metadata of a key whose value is not shown: the keyword of JSON Schema for it. */
export const SECRET = { writeOnly: true } as const;
