// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { durationSchema } from './duration.ts';
import { SECRET } from './secret.ts';

const retrySchema = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether what fails for now is tried again.'),
    initial_interval: durationSchema('500ms', 'bound of the first pause, which is drawn below it.'),
    multiplier: z.number().min(1).max(10).default(1.5).describe('By what the bound grows.'),
    max_interval: durationSchema('30s', 'bound of every pause.'),
    max_elapsed_time: durationSchema(
      '5s',
      'after which a request goes back to its sender, as it does once no server is to be tried; 0: only then. A queue on disk keeps requests until they are sent.',
    ),
  })
  .prefault({})
  .describe('Trying again, where there is a queue; without one the senders do.');

/** A queue of bytes has room for some requests; smaller numbers are requests, which the collector counts. */
const LEAST_BYTES = 1 << 20;

/** Whether `queue_size` counts requests. */
export function countsRequests(
  sizer: 'bytes' | 'requests' | undefined,
  size: number | undefined,
): boolean {
  return (sizer ?? ((size ?? LEAST_BYTES) < LEAST_BYTES ? 'requests' : 'bytes')) === 'requests';
}

const queueSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether requests may wait; false: senders are told to try again.'),
    storage: z
      .enum(['memory', 'disk'])
      .default('memory')
      .describe(
        'memory: a sender is answered when a server has its spans. disk: when they are on disk, from where they are sent, over restarts.',
      ),
    directory: z
      .string()
      .default('')
      .describe('Directory of the queue on disk, of this exporter alone.'),
    sizer: z
      .enum(['bytes', 'requests'])
      .optional()
      .describe(
        'What queue_size counts: bytes, or requests, in memory only. Not set: requests where it is below 1 MiB, as in the collector.',
      ),
    queue_size: z
      .int()
      .min(1)
      .max(2 ** 50)
      .optional()
      .describe(
        'How much may wait; when it is full, senders are told to try again. Not set: 64 MiB in memory, which bounds requests too, 1 GiB on disk.',
      ),
    num_consumers: z
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .describe('Requests that are sent at the same time, with or without a queue.'),
  })
  .superRefine(({ enabled, storage, directory, sizer, queue_size: size }, context) => {
    const add = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (sizer === 'bytes' && size !== undefined && size < LEAST_BYTES) {
      add('queue_size', `must be ${LEAST_BYTES} at least, not ${size}, where sizer is bytes`);
    }
    if (!enabled || storage !== 'disk') return;
    if (directory === '') add('directory', 'names no directory, and a queue on disk needs one');
    if (countsRequests(sizer, size)) {
      const key = sizer === undefined ? 'queue_size' : 'sizer';
      add(key, `means requests here, and a queue on disk counts bytes, ${LEAST_BYTES} at least`);
    }
  })
  .prefault({})
  .describe('Where requests wait to be sent.');

const breakerSchema = z
  .strictObject({
    failure_threshold: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe('Failures one after the other after which a server is left alone.'),
    open_interval: durationSchema('1s', 'how long at first; twice as long after each failed try.'),
    max_open_interval: durationSchema('30s', 'how long at most.'),
  })
  .prefault({})
  .describe('Breaker in front of each server.');

const headerValue = z.string().regex(/^[\x20-\x7e]*$/, { error: 'must be printable ASCII' });

/** Keys of every exporter: how what it sends is kept and tried. */
export const DELIVERY_KEYS = {
  retry_on_failure: retrySchema,
  sending_queue: queueSchema,
  circuit_breaker: breakerSchema,
};

/** These keys, validated. */
export type DeliveryConfig = z.output<z.ZodObject<typeof DELIVERY_KEYS>>;

/** Keys of every exporter that sends requests to servers. */
export function sendingKeys() {
  return {
    headers: z
      .record(
        z.string().regex(/^(?!grpc-)[A-Za-z0-9_.-]+(?<!-bin)$/i, {
          error: 'must be a name of letters, digits, - _ and ., not grpc-... or ...-bin',
        }),
        headerValue,
      )
      .default({})
      .meta(SECRET)
      .describe('Headers of each request, such as Authorization.'),
    timeout: durationSchema('5s', 'for one try.'),
    routing: z
      .enum(['round_robin', 'trace_id'])
      .default('round_robin')
      .describe(
        'round_robin: servers in turn; trace_id: all spans of a trace to one, to another while that is down.',
      ),
    resolve_interval: durationSchema('5s', 'how often names of servers are looked up.'),
    ...DELIVERY_KEYS,
  };
}

/** Schema of the largest body of a request. */
export function requestSizeSchema(usual: number) {
  return z
    .int()
    .min(1)
    .max(64)
    .default(usual)
    .describe('MiB of a request before compression; larger batches are sent in parts.');
}
