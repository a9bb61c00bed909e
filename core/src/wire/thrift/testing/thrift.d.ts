// SPDX-License-Identifier: Apache-2.0

/** What the tests use of Apache Thrift's library, which brings no types. */
declare module 'thrift' {
  export interface ProtocolWriter {
    writeMessageBegin(name: string, type: number, sequence: number): void;
    writeStructBegin(name: string): void;
    writeStructEnd(): void;
    writeFieldBegin(name: string, type: number, id: number): void;
    writeFieldEnd(): void;
    writeFieldStop(): void;
    writeListBegin(type: number, size: number): void;
    writeSetBegin(type: number, size: number): void;
    writeMapBegin(key: number, value: number, size: number): void;
    writeBool(value: boolean): void;
    writeByte(value: number): void;
    writeI16(value: number): void;
    writeI32(value: number): void;
    writeI64(value: object): void;
    writeDouble(value: number): void;
    writeBinary(value: Uint8Array): void;
  }
  const thrift: {
    TBufferedTransport: new (
      buffer: undefined,
      onFlush: (bytes: Buffer) => void,
    ) => { flush(): void };
    TBinaryProtocol: new (transport: object) => ProtocolWriter;
    TCompactProtocol: new (transport: object) => ProtocolWriter;
    Int64: new (bytes: Buffer) => object;
  };
  export default thrift;
}
