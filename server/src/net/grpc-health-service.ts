// SPDX-License-Identifier: Apache-2.0
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { ProtoReader } from '@spoor/core/wire/protobuf/reader.ts';
import {
  bytesTag,
  encodeBytes,
  encodeInt,
  encodeText,
  readFields,
  readText,
} from './rpc-status.ts';

/** `ServingStatus` of the protocol. */
const SERVING_STATUS = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

/** How it is with a service. */
export type ServingStatus = keyof typeof SERVING_STATUS;

/** `HealthCheckRequest` */
export interface HealthRequest {
  /** Empty for the whole server. */
  readonly service: string;
}

/** `HealthCheckResponse` */
export interface HealthResponse {
  readonly status: ServingStatus;
}

/** `HealthListResponse` */
export interface HealthListResponse {
  readonly statuses: Readonly<Record<string, HealthResponse>>;
}

const SERVICE = 'grpc.health.v1.Health';

/**
 * The service as grpc-js wants it told: a server answers with it and never asks. The packages that make this of a `.proto` file
 * read it at each start, for 60 ms.
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export const HEALTH_SERVICE = {
  check: method('Check', false, decodeRequest, encodeResponse),
  watch: method('Watch', true, decodeRequest, encodeResponse),
  list: method('List', false, () => ({}), encodeList),
} satisfies ServiceDefinition;

function method<Request, Response>(
  name: string,
  responseStream: boolean,
  requestDeserialize: (message: Buffer) => Request,
  responseSerialize: (response: Response) => Buffer,
): MethodDefinition<Request, Response> {
  const onlyAnswers = (): never => {
    throw new Error(`${SERVICE}: a server does not ask`);
  };
  return {
    path: `/${SERVICE}/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: onlyAnswers,
    requestDeserialize,
    responseSerialize,
    responseDeserialize: onlyAnswers,
  };
}

/** @throws {SpoorError} malformed */
function decodeRequest(message: Buffer): HealthRequest {
  const reader = new ProtoReader('grpc.health.v1', message);
  let service = '';
  readFields(reader, message.length, (tag, end) => {
    if (tag === bytesTag(1)) service = readText(reader, end);
    else reader.skip(tag, end);
  });
  return { service };
}

function encodeResponse({ status }: HealthResponse): Buffer {
  return encodeInt(1, SERVING_STATUS[status]);
}

function encodeList({ statuses }: HealthListResponse): Buffer {
  return Buffer.concat(
    Object.entries(statuses).map(([name, response]) =>
      encodeBytes(
        1,
        Buffer.concat([encodeText(1, name), encodeBytes(2, encodeResponse(response))]),
      ),
    ),
  );
}
