// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#config/load-config.ts';
import {
  MAX_BODY_CAP_BYTES,
  OTLP_GRPC_DEFAULTS,
  OTLP_HTTP_DEFAULTS,
} from '#receivers/otlp/otlp-settings.ts';
import { grpcSettings, httpSettings } from './otlp-receivers.ts';

test('the defaults of the configuration are those of the receivers', () => {
  const { grpc, http } = loadConfig({ env: {} }).receivers.otlp.protocols;
  assert.deepEqual(grpcSettings(grpc), { ...OTLP_GRPC_DEFAULTS, host: '127.0.0.1', port: 4317 });
  assert.deepEqual(httpSettings(http), { ...OTLP_HTTP_DEFAULTS, host: '127.0.0.1', port: 4318 });
});

test('the configuration takes bodies as large as the receivers do', () => {
  const mib = MAX_BODY_CAP_BYTES / (1024 * 1024);
  const sets = ['memory_limit_mib=500', `receivers.otlp.protocols.grpc.max_body_mib=${mib}`];
  const { grpc } = loadConfig({ env: {}, sets }).receivers.otlp.protocols;
  assert.equal(grpcSettings(grpc).bodyCapBytes, MAX_BODY_CAP_BYTES);
  sets.push(`receivers.otlp.protocols.grpc.max_body_mib=${mib + 1}`);
  assert.throws(() => loadConfig({ env: {}, sets }), /max_body_mib: must be at most 64, not 65/);
});
