// SPDX-License-Identifier: Apache-2.0

/** `TagType` of Jaeger's Thrift. Its protobuf has other numbers. */
export const TagType = { string: 0, double: 1, bool: 2, long: 3, binary: 4 } as const;
