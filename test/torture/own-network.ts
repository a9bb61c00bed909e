// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { fetchKafka } from '../e2e/kafka-server.ts';

/** Set in the environment of a program that runs in a network of its own. */
const MARK = 'SPOOR_TORTURE_NETWORK';

/** As root; or as root of a user namespace, where a user may make one. */
const WAYS = [[], ['--map-root-user']];

/** The names of namespaces are files below `/run`: these are to end with the program as well. */
const PREPARE = 'mount -t tmpfs run /run && ip link set lo up';

/** All that {@link Hosts} does later. */
const TRY = `${PREPARE} && ip netns add try && ip netns exec try true && ip link add try type bridge && ip link add try-a type veth peer name try-b netns try`;

/** Whether this program runs in a network of its own. */
export function hasOwnNetwork(): boolean {
  return process.env[MARK] !== undefined;
}

/**
 * Starts this program anew, as the same process, in a network and a tree of mounts of its own: hosts that are made in it end
 * with the last of its processes, whatever happens. It has no way out, so Kafka is fetched before.
 * @returns why that is not possible; nothing when it has been done already
 */
export function enterOwnNetwork(): string | undefined {
  if (hasOwnNetwork()) return undefined;
  if (process.platform !== 'linux') return 'only Linux has network namespaces';
  let why = '';
  for (const way of WAYS) {
    const enter = ['--net', '--mount', ...way, 'sh', '-c'];
    const tried = spawnSync('unshare', [...enter, TRY], { encoding: 'utf8' });
    if (tried.status !== 0) {
      why ||= tried.error?.message ?? tried.stderr.trim();
      continue;
    }
    fetchKafka();
    const { env, execPath, execArgv, argv } = process;
    // Node says that execve is experimental.
    process.removeAllListeners('warning');
    const command = ['sh', execPath, ...execArgv, ...argv.slice(1)];
    process.execve?.(
      '/usr/bin/env',
      ['env', 'unshare', ...enter, `${PREPARE} && exec "$@"`, ...command],
      { ...env, [MARK]: 'own' },
    );
  }
  return why;
}
