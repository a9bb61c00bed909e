// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configReference } from '#config/config-reference.ts';
import { loadConfig } from '#config/load-config.ts';
import { formatConfig } from '#config/print-config.ts';
import { runCli } from './cli.ts';
import { parseOptions } from './options.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    env: {},
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

test('help and version are printed and end with 0', async () => {
  const help = await run('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /^Spoor: [^]*--data DIR[^]*--config FILE[^]*--set path\.to\.key=value/);
  assert.equal((await run('config', '-h')).out, help.out);
  assert.deepEqual(await run('help'), help);
  const version = await run('--version');
  assert.equal(version.code, 0);
  assert.match(version.out, /^spoor \d+\.\d+\.\d+\n$/);
});

test('an unknown option is an error with the name that was probably meant', async () => {
  assert.deepEqual(await run('--dat', '/x'), {
    code: 2,
    out: '',
    err: 'spoor: unknown option "--dat"; did you mean --data?\n',
  });
  assert.equal(
    (await run('--storage.type=memory')).err,
    'spoor: unknown option --storage.type; write --set storage.type=VALUE\n',
  );
  assert.equal(
    (await run('--collector.zipkin.host-prt=:9411')).err,
    'spoor: unknown option "--collector.zipkin.host-prt"; did you mean --collector.zipkin.host-port?\n',
  );
  assert.equal((await run('-x')).err, 'spoor: unknown option "-x"; spoor --help lists them\n');
});

test('an option without its value is an error', async () => {
  for (const args of [['--data'], ['--data='], ['config', 'print', '--set']]) {
    const { code, err } = await run(...args);
    assert.equal(code, 2);
    assert.match(err, /^spoor: option --\w+ needs a value: --/);
  }
  assert.match((await run('--config', '--data', 'x')).err, /the next word is the option --data/);
  assert.match((await run('--help=yes')).err, /takes no value/);
  assert.match((await run('--config', 'a', '--config=b')).err, /--config is there twice/);
  assert.match((await run('--data', 'a', '--data=b')).err, /--data is there twice/);
});

test('an unknown command is an error with the name that was probably meant', async () => {
  const { code, err } = await run('confg', 'print');
  assert.equal(code, 2);
  assert.equal(err, 'spoor: unknown command confg; did you mean spoor config?\n');
  assert.match((await run('serve', 'now')).err, /takes no further word: now/);
  assert.match((await run('config', 'prnt')).err, /did you mean spoor config print\?/);
  assert.match((await run('config')).err, /needs one of: print, validate, docs/);
});

test('config print shows the effective configuration', async () => {
  const sets = ['telemetry.log_level=debug'];
  const { code, out } = await run('config', 'print', '--data', '/d', '--set', sets[0]!);
  assert.equal(code, 0);
  assert.equal(out, formatConfig(loadConfig({ env: {}, dataDirectory: '/d', sets })));
});

test('config docs prints every key', async () => {
  const { out } = await run('config', 'docs');
  assert.equal(out, configReference());
  assert.match((await run('config', 'docs', 'query')).err, /takes no further word: query/);
});

test('config print shows what a role is made of', async () => {
  const { out } = await run('config', 'print', 'query');
  assert.equal(out, formatConfig(loadConfig({ env: {}, role: 'query' })));
  assert.match((await run('config', 'print', 'quer')).err, /no role quer; did you mean query\?/);
  assert.match((await run('collectr')).err, /did you mean spoor collector\?/);
  assert.match((await run('query', 'now')).err, /spoor query takes no further word: now/);
});

test('flags of Jaeger 1 are taken, alone, with a value and with a value after them', async () => {
  const args = ['--collector.otlp.enabled=false', '--collector.zipkin.host-port', ':1'];
  const { out, err } = await run('config', 'print', ...args, '--query.enable-tracing');
  const jaegerFlags = [
    { name: 'collector.otlp.enabled', value: 'false' },
    { name: 'collector.zipkin.host-port', value: ':1' },
  ];
  assert.equal(out, formatConfig(loadConfig({ env: {}, jaegerFlags })));
  assert.match(err, /^spoor: warning: --query\.enable-tracing has no effect: /);
  assert.match(
    (await run('--es.server-urls', 'http://x')).err,
    /^spoor: --es\.server-urls: Spoor /,
  );
  assert.match((await run('--collector.zipkin.host-port')).err, /needs a value/);
});

test('config validate says that all is well, or everything that is wrong', async () => {
  assert.deepEqual(await run('config', 'validate'), {
    code: 0,
    out: 'The configuration is valid.\n',
    err: '',
  });
  const { code, err } = await run(
    ...['config', 'validate', '--set', 'memory_limit_mib=1', '--set', 'storage.typ=memory'],
  );
  assert.equal(code, 2);
  assert.equal(
    err,
    'spoor: storage.typ: unknown key; did you mean storage.type? (--set)\n' +
      'spoor: memory_limit_mib: must be at least 150, not 1 (--set)\n',
  );
});

test('options and the command may stand in any order', () => {
  assert.deepEqual(parseOptions(['--set', 'a=1', 'config', '--set=b=2', 'print', '--data=/x']), {
    words: ['config', 'print'],
    dataDirectory: '/x',
    configFile: undefined,
    sets: ['a=1', 'b=2'],
    jaegerFlags: [],
    help: false,
    version: false,
  });
});

test('the command of the package is a file that the shell can run', () => {
  const root = new URL('../../', import.meta.url);
  const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    bin: Record<string, string>;
  };
  const program = new URL(bin['spoor']!, root);
  assert.match(readFileSync(program, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  accessSync(program, constants.X_OK);
});
