// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BatchBuilder } from '@spoor/core/model/batch-builder.ts';
import { joinDatagrams } from '@spoor/core/wire/jaeger/joined-datagrams.ts';
import { OtlpJsonDecoder } from '@spoor/core/wire/otlp/decode-json.ts';
import { OtlpProtoEncoder } from '@spoor/core/wire/otlp/encode.ts';
import { createDecoder } from '#pipeline/span-decoders.ts';
import { countSpans } from './corpus-file.ts';
import { runTracegen } from './tracegen.ts';
import { UdpTransport } from './udp-transport.ts';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...argv: string[]): Promise<Run> {
  let out = '';
  let err = '';
  const code = await runTracegen(argv, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    terminal: false,
  });
  return { code, out, err };
}

async function sink(
  t: TestContext,
  status = 200,
): Promise<{ endpoint: string; spans: () => number }> {
  let spans = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      assert.equal(request.url, '/v1/traces');
      spans += countSpans(Buffer.concat(chunks));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // A listening TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, spans: () => spans };
}

test('it sends the spans asked for and says so', async (t) => {
  const { endpoint, spans } = await sink(t);
  const { code, out } = await run('--endpoint', endpoint, '--spans', '1234');
  assert.equal(code, 0);
  assert.equal(spans(), 1234);
  assert.match(out, /acked +1,234 spans/);
});

test('what is lost makes the exit code 1', async (t) => {
  const { endpoint } = await sink(t, 400);
  const { code, out } = await run('--endpoint', endpoint, '--spans', '100', '--json');
  assert.equal(code, 1);
  const result: unknown = JSON.parse(out);
  assert.ok(typeof result === 'object' && result !== null && 'lostSpans' in result);
  assert.equal(result.lostSpans, 100);
});

test('a rate and a duration decide the number of spans', async (t) => {
  const { endpoint, spans } = await sink(t);
  const words = ['--rate', '4000', '--duration', '100ms', '--request-spans', '40'];
  assert.equal((await run('--endpoint', endpoint, ...words)).code, 0);
  assert.equal(spans(), 400);
});

test('a duration alone ends the run', async (t) => {
  const { endpoint, spans } = await sink(t);
  const { code } = await run('--endpoint', endpoint, '--duration', '50ms');
  assert.equal(code, 0);
  assert.ok(spans() > 0);
});

test('a corpus is written to a file and sent from it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'spoor-tracegen-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'corpus.bin');
  const written = await run('--profile', 'hostile', '--spans', '2000', '--out', file);
  assert.equal(written.code, 0);
  assert.match(written.out, /2000 spans of \d+ traces/);
  assert.ok(existsSync(`${file}.tenants`));
  const { endpoint, spans } = await sink(t);
  assert.equal((await run('--in', file, '--endpoint', endpoint)).code, 0);
  assert.ok(spans() >= 2000);
  const missing = await run('--in', join(directory, 'missing'), '--endpoint', endpoint);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /ENOENT/);
});

test('datagrams of Jaeger hold the spans, and nobody acknowledges them', async (t) => {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const builder = new BatchBuilder();
  const decoder = createDecoder('jaeger_agent_compact');
  const received = Promise.withResolvers<void>();
  let datagrams = 0;
  socket.on('message', (datagram) => {
    assert.ok(datagram.length <= 65_000);
    datagrams++;
    decoder.begin(joinDatagrams([datagram]));
    while (!decoder.decode(builder, Infinity));
    // So few that a socket's buffer holds them all.
    if (builder.rows === 100) received.resolve();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const endpoint = `127.0.0.1:${socket.address().port}`;
  const words = ['--protocol', 'jaeger-udp', '--endpoint', endpoint];
  const { code, out } = await run(...words, '--spans', '100', '--rate', '100000', '--json');
  await received.promise;
  assert.equal(code, 0);
  // It is ours.
  const { ackedSpans, unansweredSpans } = JSON.parse(out) as Record<string, number>;
  assert.deepEqual([ackedSpans, unansweredSpans], [0, 100]);
  assert.ok(datagrams >= new Set(builder.finish().resource).size);
});

test('a span that is too large for a datagram is lost, and those beside it are not', async () => {
  const attributes = (text: string): string =>
    `"attributes":[{"key":"k","value":{"stringValue":"${text}"}}]`;
  const ids = (n: number): string =>
    `"traceId":"${String(n).padStart(32, '0')}","spanId":"${String(n).padStart(16, '0')}"`;
  const texts = ['x', 'y'.repeat(70_000), 'z'.repeat(40_000), 'z'.repeat(40_000)];
  const spans = texts.map((text, i) => `{${ids(i + 1)},"name":"n",${attributes(text)}}`);
  const decoder = new OtlpJsonDecoder();
  const builder = new BatchBuilder();
  decoder.begin(Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${spans.join()}]}]}]}`));
  while (!decoder.decode(builder));
  const body = new OtlpProtoEncoder(builder.finish()).encode();
  const transport = new UdpTransport('127.0.0.1:9');
  const outcome = await transport.send(body);
  assert.equal((await transport.send(Buffer.from('no OTLP'))).kind, 'failed');
  transport.close();
  transport.close();
  assert.deepEqual(outcome, {
    kind: 'sent',
    lostSpans: 1,
    message: 'a span is too large for a datagram',
  });
});

test('the help names every option', async () => {
  const { code, out } = await run('--help');
  assert.equal(code, 0);
  for (const name of ['profile', 'rate', 'retry-for', 'tenant-header', 'out', 'in']) {
    assert.match(out, new RegExp(`--${name}\\b`));
  }
});

for (const words of [
  ['--profile', 'shopp'],
  ['--spans', '0'],
  ['--spans', '1e3'],
  ['--spans', '5', '--duration', '1s'],
  ['--duration', '5'],
  ['--rate', '-1'],
  ['--unknown'],
  ['word'],
  ['--header', 'nothing'],
  ['--in', 'a', '--out', 'b'],
  ['--window', '5m', '--rate', '5'],
  ['--endpoint', 'ftp://example.org'],
  ['--protocol', 'grpc', '--endpoint', 'nowhere'],
  ['--protocol', 'jaeger-udp'],
  ['--protocol', 'jaeger-udp', '--rate', '9', '--gzip'],
  ['--protocol', 'jaeger-udp', '--rate', '9', '--endpoint', 'nowhere'],
]) {
  test(`spoor tracegen ${words.join(' ')} is refused`, async () => {
    await assert.rejects(run(...words), { name: 'UsageError' });
  });
}
