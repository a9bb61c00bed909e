// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import type { Host } from '../e2e/host.ts';
import { hasOwnNetwork } from './own-network.ts';

/** Addresses for networks under test, which nobody routes. @see https://www.rfc-editor.org/rfc/rfc2544#appendix-C.2.2 */
const NETWORK = '198.18.0';
const SWITCH_NUMBER = 254;
const SWITCH = 'switch';

/** Hosts of one network: network namespaces with a cable each to a switch, at which this process is too; or else loopback addresses. */
export class Hosts implements Disposable {
  readonly kind: string;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #isOwn = hasOwnNetwork();

  /** @param names at most 15 letters each, and fewer than 254 */
  constructor(names: readonly string[]) {
    this.kind = this.#isOwn ? 'network namespaces' : 'loopback addresses';
    const network = this.#isOwn ? NETWORK : `127.${randomInt(1, 255)}.${randomInt(0, 256)}`;
    if (this.#isOwn) makeSwitch();
    this.#hosts = new Map(
      names.map((name, i) => {
        const address = `${network}.${i + 1}`;
        if (this.#isOwn) makeHost(name, address);
        const launcher = this.#isOwn ? ['ip', 'netns', 'exec', name] : [];
        return [name, { address, launcher }];
      }),
    );
  }

  /** @throws {Error} there is no host of this name */
  get(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  /** Call it once nothing runs on them. */
  [Symbol.dispose](): void {
    if (!this.#isOwn) return;
    for (const name of this.#hosts.keys()) ip(`netns delete ${name}`);
    ip(`link delete dev ${SWITCH}`);
  }
}

function makeSwitch(): void {
  ip(`link add name ${SWITCH} type bridge`);
  ip(`address add ${NETWORK}.${SWITCH_NUMBER}/24 dev ${SWITCH}`);
  ip(`link set dev ${SWITCH} up`);
}

function makeHost(name: string, address: string): void {
  ip(`netns add ${name}`);
  // The end at the switch has the name of the host.
  ip(`link add name ${name} type veth peer name eth0 netns ${name}`);
  ip(`link set dev ${name} master ${SWITCH} up`);
  ip(`-n ${name} link set dev lo up`);
  ip(`-n ${name} address add ${address}/24 dev eth0`);
  ip(`-n ${name} link set dev eth0 up`);
}

function ip(words: string): void {
  execFileSync('ip', words.split(' '), { stdio: 'pipe' });
}
