// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { valueIn } from './config-tree.ts';
import { loadYaml } from './testing/config-file.ts';

/** Keys that every source can set, with the flag of Jaeger 1, and what they are when nobody does. */
const KEYS = [
  ['receivers.zipkin.endpoint', 'collector.zipkin.host-port', '127.0.0.1:9411'],
  [
    'receivers.jaeger.protocols.grpc.endpoint',
    'collector.grpc-server.host-port',
    '127.0.0.1:14250',
  ],
  ['sampling.http.endpoint', 'http-server.host-port', '127.0.0.1:5778'],
  ['query.http.endpoint', 'query.http-server.host-port', '127.0.0.1:16686'],
] as const;

const SOURCES = ['file', 'variable', 'flag', 'set'] as const;

/** An endpoint that says who has set it; no two are the same. */
function valueOf(source: string, path: string): string {
  return `${source}.${path.replaceAll('_', '-')}:1`;
}

test('of all that set a key the last one wins: file, variable, flag, --set', () => {
  const settings = fc.uniqueArray(
    fc.record({ key: fc.constantFrom(...KEYS), source: fc.constantFrom(...SOURCES) }),
    { selector: ({ key, source }) => `${key[0]} ${source}` },
  );
  const property = fc.property(settings, (list) => {
    const from = (
      source: (typeof SOURCES)[number],
    ): [path: string, flag: string, value: string][] =>
      list
        .filter((setting) => setting.source === source)
        .map(({ key: [path, flag] }) => [path, flag, valueOf(source, path)]);
    const file: Record<string, unknown> = {};
    for (const [path, , value] of from('file')) {
      const names = path.split('.');
      const last = names.pop()!;
      let section = file;
      // Only sections were put there.
      for (const name of names) section = (section[name] ??= {}) as Record<string, unknown>;
      section[last] = value;
    }
    const config = loadYaml(JSON.stringify(file), {
      env: Object.fromEntries(
        from('variable').map(([, flag, value]) => [
          flag.toUpperCase().replaceAll(/[.-]/g, '_'),
          value,
        ]),
      ),
      jaegerFlags: from('flag').map(([, name, value]) => ({ name, value })),
      sets: from('set').map(([path, , value]) => `${path}=${value}`),
    });
    for (const [path, , usual] of KEYS) {
      const winner = SOURCES.findLast((source) =>
        list.some((setting) => setting.key[0] === path && setting.source === source),
      );
      assert.equal(
        valueIn(config, ...path.split('.')),
        winner === undefined ? usual : valueOf(winner, path),
      );
    }
  });
  fc.assert(property, { numRuns: 40 });
});
