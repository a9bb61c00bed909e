// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type { SpoorConfig } from '#config/config.ts';
import { loadConfig, type ConfigInputs } from '#config/load-config.ts';

/** The configuration of a file with this text. */
export function loadYaml(text: string, inputs: Partial<ConfigInputs> = {}): SpoorConfig {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-config-'));
  try {
    const file = join(directory, 'spoor.yaml');
    writeFileSync(file, text);
    return loadConfig({ env: {}, ...inputs, file });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What is said of a configuration that is refused, with `spoor.yaml` for the whole path of the file. */
export function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SpoorError);
    assert.equal(error.code, 'config');
    return error.message.replaceAll(/[^\s(]*\/spoor-config-[^/]*\//g, '');
  }
  return assert.fail('the configuration was accepted');
}
