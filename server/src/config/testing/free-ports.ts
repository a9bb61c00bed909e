// SPDX-License-Identifier: Apache-2.0
import { configKeys, walkKeys } from '#config/config-keys.ts';

/** `path.to.key=value` for every key with an address to listen on: any free port of this machine. */
export function freePorts(): string[] {
  return [...walkKeys(configKeys())]
    .filter(({ path, children }) => children === undefined && path.endsWith('.endpoint'))
    .map(({ path }) => `${path}=127.0.0.1:0`);
}
