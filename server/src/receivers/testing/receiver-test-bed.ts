// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import type { BearerTokens } from '#net/bearer-tokens.ts';
import type { GrpcListenerSettings } from '#net/grpc-listener.ts';
import { MemoryBudget } from '#net/memory-budget.ts';
import { Tenancy, type TenancySettings } from '#net/tenancy.ts';
import { TenantShares } from '#net/tenant-shares.ts';
import type { GrpcReceiver } from '#receivers/grpc-receiver.ts';
import type { HttpReceiver } from '#receivers/http-receiver.ts';
import type { PlacedReceiverParts } from '#receivers/intake.ts';
import { createOtlpGrpcReceiver } from '#receivers/otlp/otlp-grpc-receiver.ts';
import {
  createOtlpHttpReceiver,
  type OtlpHttpSettings,
} from '#receivers/otlp/otlp-http-receiver.ts';
import { GRPC_DEFAULTS, HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { TenantCounters } from '#receivers/tenant-counters.ts';
import { FakeTraceIngest } from './fake-trace-ingest.ts';

/** Any free port of this machine. */
export const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;

/** Time for running requests when a test stops its receiver, in ms. */
const SHUTDOWN_MS = 1000;

/** A receiver on a free port with a fake behind it. */
export interface TestBed<R> extends AsyncDisposable {
  readonly receiver: R;
  readonly ingest: FakeTraceIngest;
  readonly budget: MemoryBudget;
  /** By how much the clock of the budget is ahead. */
  readonly clock: { aheadMs: number };
  readonly tenantCounters: TenantCounters;
  readonly port: number;
  /** Messages of the log. */
  readonly log: string[];
}

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a bed needs of a receiver. */
interface Bedded {
  readonly address: { readonly port: number } | undefined;
  start(): Promise<void>;
  shutdown(deadlineMs: number): Promise<void>;
}

/** Starts a receiver on a free port. */
export async function startReceiver<R extends Bedded>(
  create: (parts: PlacedReceiverParts) => R,
  budgetBytes?: number,
  tenancy?: TenancySettings,
  tokens?: BearerTokens,
): Promise<TestBed<R>> {
  const parts = makeParts(budgetBytes, tenancy, tokens);
  const receiver = create(parts);
  await receiver.start();
  return makeBed(receiver, parts);
}

/** Starts an OTLP/HTTP receiver. */
export function startHttp(
  settings: Partial<OtlpHttpSettings> = {},
  budgetBytes?: number,
  tenancy?: TenancySettings,
  tokens?: BearerTokens,
): Promise<TestBed<HttpReceiver>> {
  const all = { ...HTTP_DEFAULTS, ...LOOPBACK, tracesPath: '/v1/traces', ...settings };
  return startReceiver((parts) => createOtlpHttpReceiver(all, parts), budgetBytes, tenancy, tokens);
}

/** Starts an OTLP/gRPC receiver. */
export function startGrpc(
  settings: Partial<GrpcListenerSettings> = {},
  budgetBytes?: number,
  tenancy?: TenancySettings,
  tokens?: BearerTokens,
): Promise<TestBed<GrpcReceiver>> {
  const all = { ...GRPC_DEFAULTS, ...LOOPBACK, ...settings };
  return startReceiver((parts) => createOtlpGrpcReceiver(all, parts), budgetBytes, tenancy, tokens);
}

/** One request on a connection of its own; `body` pieces are sent one after the other. */
export function send(
  port: number,
  options: http.RequestOptions,
  body: readonly Uint8Array[] = [],
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, path: '/v1/traces', method: 'POST', agent: false, ...options },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(pieces) });
        });
      },
    );
    request.on('error', reject);
    for (const piece of body) request.write(piece);
    request.end();
  });
}

/** Sends bytes as they are and resolves with all that comes until the server closes the connection. */
export function exchangeRaw(port: number, text: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = net.connect({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
}

/** Resolves once `holds` is true; looks again after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/** The message of a google.rpc.Status in protobuf: field 2, after field 1. */
export function protoMessage(body: Buffer): string {
  assert.equal(body[0], 8);
  assert.equal(body[2], 0x12);
  const long = body[3]! >= 128;
  const length = long ? (body[3]! & 127) | (body[4]! << 7) : body[3]!;
  const start = long ? 5 : 4;
  return body.toString('utf8', start, start + length);
}

/** A google.rpc.Status in JSON. */
export function jsonStatus(body: Buffer): { code: number; message: string; details?: object[] } {
  return JSON.parse(body.toString()) as { code: number; message: string; details?: object[] };
}

/** Bytes that differ with their place and the seed. */
export function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 8)) & 255;
  return bytes;
}

interface Parts extends PlacedReceiverParts {
  readonly ingest: FakeTraceIngest;
  readonly budget: MemoryBudget;
  readonly clock: { aheadMs: number };
  readonly tenantCounters: TenantCounters;
  readonly log: string[];
}

function makeParts(
  budgetBytes: number | undefined,
  tenancy: TenancySettings | undefined,
  tokens: BearerTokens | undefined,
): Parts {
  const clock = { aheadMs: 0 };
  const budget = new MemoryBudget(budgetBytes, undefined, () => performance.now() + clock.aheadMs);
  const tenantCounters = new TenantCounters();
  const shares = new TenantShares(budget, (tenant) => tenantCounters.countNoRoom(tenant));
  const log: string[] = [];
  const write = (_details: object, message: string): void => {
    log.push(message);
  };
  return {
    path: 'receivers.test',
    ingest: new FakeTraceIngest(),
    tenancy: new Tenancy(tenancy, tokens),
    budget,
    clock,
    budgetOf: (tenant) => (tenancy === undefined ? budget : shares.of(tenant)),
    tenantCounters,
    log,
    logger: { info: write, warn: write, error: write },
  };
}

function makeBed<R extends Bedded>(
  receiver: R,
  { ingest, budget, clock, tenantCounters, log }: Parts,
): TestBed<R> {
  return {
    receiver,
    ingest,
    budget,
    clock,
    tenantCounters,
    log,
    port: receiver.address?.port ?? 0,
    [Symbol.asyncDispose]: () => receiver.shutdown(SHUTDOWN_MS),
  };
}
