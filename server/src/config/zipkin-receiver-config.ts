// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { PORTS } from './ports.ts';
import { httpKeys } from './receiver-config.ts';

/** `receivers.zipkin`; its endpoint stands where the OpenTelemetry collector has it. */
export const zipkinReceiverSchema = z
  .strictObject(httpKeys(PORTS.zipkin, "Zipkin's spans over HTTP"))
  .prefault({})
  .describe(
    "Spans in Zipkin's formats over HTTP, of both its versions, and over gRPC on the same port.",
  );
