// SPDX-License-Identifier: Apache-2.0
import { serveMessages } from '#workers/worker-thread.ts';
import type { DecodeReply, DecodeRequest } from '../decode-worker.ts';

/** What a body for this worker begins with when it dies of it; with another format it only fails. */
export const DEADLY = 0xff;

serveMessages(({ id, format, body }: DecodeRequest): DecodeReply => {
  if (body[0] === DEADLY) {
    if (format === 'otlp_proto') process.exit(3);
    return { id, fault: new TypeError('a secret is not a function') };
  }
  return { id, batches: [], result: { accepted: body.length, rejected: 0, message: '' } };
});
