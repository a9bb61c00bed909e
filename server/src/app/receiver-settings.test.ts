// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#config/load-config.ts';
import { MAX_BODY_CAP_BYTES, GRPC_DEFAULTS, HTTP_DEFAULTS } from '#receivers/receiver-defaults.ts';
import { grpcSettings, otlpHttpSettings } from './receiver-settings.ts';

test('the defaults of the configuration are those of the receivers', () => {
  const { grpc, http } = loadConfig({ env: {} }).receivers.otlp!.protocols;
  assert.deepEqual(grpcSettings(grpc!), { ...GRPC_DEFAULTS, host: '127.0.0.1', port: 4317 });
  assert.deepEqual(otlpHttpSettings(http!), {
    ...HTTP_DEFAULTS,
    host: '127.0.0.1',
    port: 4318,
    tracesPath: '/v1/traces',
  });
});

test('the configuration takes bodies as large as the receivers do', () => {
  const mib = MAX_BODY_CAP_BYTES / (1024 * 1024);
  const sets = ['memory_limit_mib=500', `receivers.otlp.protocols.grpc.max_body_mib=${mib}`];
  const { grpc } = loadConfig({ env: {}, sets }).receivers.otlp!.protocols;
  assert.equal(grpcSettings(grpc!).bodyCapBytes, MAX_BODY_CAP_BYTES);
  sets.push(`receivers.otlp.protocols.grpc.max_body_mib=${mib + 1}`);
  assert.throws(() => loadConfig({ env: {}, sets }), /max_body_mib: must be at most 64, not 65/);
});
