// SPDX-License-Identifier: Apache-2.0
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Server } from '@grpc/grpc-js';
import { quote } from '@spoor/core/model/errors.ts';
import {
  HEALTH_SERVICE,
  type HealthListResponse,
  type HealthRequest,
  type HealthResponse,
  type ServingStatus,
} from './grpc-health-service.ts';

type Watcher = ServerWritableStream<HealthRequest, HealthResponse>;

/**
 * grpc.health.v1: whether a server takes requests, for the server (`''`) and for each service.
 * @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export class GrpcHealth {
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  #status: ServingStatus = 'SERVING';

  constructor(services: readonly string[]) {
    this.#services = new Set(['', ...services]);
  }

  addTo(server: Server): void {
    server.addService(HEALTH_SERVICE, {
      check: (
        call: ServerUnaryCall<HealthRequest, HealthResponse>,
        callback: sendUnaryData<HealthResponse>,
      ) => {
        if (this.#services.has(call.request.service)) {
          callback(null, { status: this.#status });
        } else {
          const details = `service ${quote(call.request.service)} is not known`.toWellFormed();
          callback({ code: status.NOT_FOUND, details });
        }
      },
      watch: (call: Watcher) => {
        call.write({ status: this.#statusOf(call) });
        this.#watchers.add(call);
        call.on('cancelled', () => this.#watchers.delete(call));
      },
      list: (_call: unknown, callback: sendUnaryData<HealthListResponse>) => {
        const statuses = [...this.#services].map(
          (name) => [name, { status: this.#status }] as const,
        );
        callback(null, { statuses: Object.fromEntries(statuses) });
      },
    });
  }

  /** Tells everyone who asks or watches that no requests are taken any more, and ends the watches. */
  shutdown(): void {
    this.#status = 'NOT_SERVING';
    for (const call of this.#watchers) {
      call.write({ status: this.#statusOf(call) });
      call.end();
    }
    this.#watchers.clear();
  }

  #statusOf(call: Watcher): HealthResponse['status'] {
    return this.#services.has(call.request.service) ? this.#status : 'SERVICE_UNKNOWN';
  }
}
