// SPDX-License-Identifier: Apache-2.0

/** `ValueType` of Jaeger's protobuf. Its Thrift has other numbers. */
export const JaegerValueType = { string: 0, bool: 1, int64: 2, float64: 3, binary: 4 } as const;
