// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, connect, type Server, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { clientTlsSettings } from '#app/tls-settings.ts';
import { clientTlsSchema } from '#config/tls-config.ts';
import { ClientTls } from './client-tls.ts';
import { NO_OPENSSL, TestCertificates } from './testing/test-certificates.ts';

const OPTIONS = { skip: NO_OPENSSL };

interface LogLine {
  readonly message: string;
  readonly problem: string;
}

/** A client of a `tls` section, which reads its files when it is told to. */
function makeClient(section: object): { client: ClientTls; log: LogLine[] } {
  const log: LogLine[] = [];
  const write = (details: { problem?: string }, message: string): void => {
    log.push({ message, problem: details.problem ?? '' });
  };
  const config = clientTlsSchema.parse({ reload_interval: '0', ...section });
  const settings = clientTlsSettings(config);
  assert.ok(settings);
  const logger = { info: write, warn: write, error: write };
  return { client: new ClientTls('exporters.otlp.tls', settings, logger), log };
}

async function serve(options: TlsOptions): Promise<Server> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.end(socket.getPeerX509Certificate()?.subject ?? 'nobody');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** What the server says to the client about it. */
async function ask(server: Server, client: ClientTls): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, ...client.options });
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

test('a client trusts the CA of its section only, and shows its certificate', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  const own = files.make('agent', { ca });
  await using server = await serve({
    ...files.read(files.make('server', { ca })),
    ca: readFileSync(ca.certFile),
    requestCert: true,
  });
  const good = makeClient({
    ca_file: ca.certFile,
    cert_file: own.certFile,
    key_file: own.keyFile,
  }).client;
  await good.start();
  assert.equal(await ask(server, good), 'CN=agent');
  const daysLeft = (good.figures.notAfterUnixMs! - Date.now()) / 86_400_000;
  assert.ok(daysLeft > 19 && daysLeft < 20.1, `${daysLeft} days`);

  const stranger = makeClient({ ca_file: files.ca('other').certFile }).client;
  await stranger.start();
  await assert.rejects(ask(server, stranger), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  assert.equal(stranger.figures.notAfterUnixMs, undefined);
});

test(
  'names are checked, against another one if told so, and not at all if told so',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const pair = files.make('server');
    await using server = await serve(files.read(pair));
    const outcome = async (section: object): Promise<string> => {
      const { client } = makeClient({ ca_file: pair.certFile, ...section });
      await client.start();
      return ask(server, client).catch((error: NodeJS.ErrnoException) => error.code ?? '');
    };
    assert.equal(await outcome({}), 'nobody');
    assert.equal(
      await outcome({ server_name_override: 'elsewhere.example' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
    assert.equal(await outcome({ server_name_override: 'collector.example' }), 'nobody');
    assert.equal(
      await outcome({ server_name_override: 'elsewhere.example', insecure_skip_verify: true }),
      'nobody',
    );
    assert.equal(await outcome({ ca_file: '', insecure_skip_verify: true }), 'nobody');
  },
);

test('certificates come from PKCS#12 and encrypted keys too', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  await using server = await serve({
    ...files.read(files.make('server', { ca })),
    ca: readFileSync(ca.certFile),
    requestCert: true,
  });
  const pkcs12 = files.pkcs12('agent', files.make('agent', { ca }), 'geheim');
  const locked = files.make('locked', { ca, password: 'geheim' });
  const password = files.write('password', 'geheim\n');
  const sections = [
    { pkcs12_file: pkcs12, pkcs12_password: 'geheim' },
    { pkcs12_file: pkcs12, pkcs12_password_file: password },
    { cert_file: locked.certFile, key_file: locked.keyFile, key_password: 'geheim' },
    { cert_file: locked.certFile, key_file: locked.keyFile, key_password_file: password },
  ];
  for (const section of sections) {
    const { client } = makeClient({ ca_file: ca.certFile, ...section });
    await client.start();
    assert.match(await ask(server, client), /^CN=(agent|locked)$/);
    assert.ok(client.figures.notAfterUnixMs);
  }
});

test('what is wrong with a file is said, and where', OPTIONS, async () => {
  using files = new TestCertificates();
  const a = files.make('a', { password: 'geheim' });
  const b = files.make('b');
  const pkcs12 = files.pkcs12('b', b, 'geheim');
  const jks = files.write('b.jks', Buffer.from('feedfeed00000002', 'hex'));
  const cases: [section: object, message: RegExp][] = [
    [
      { ca_file: files.path('missing') },
      /^exporters\.otlp\.tls\.ca_file: there is no such file: \//,
    ],
    [{ ca_file: b.keyFile }, /ca_file: holds no certificate$/],
    [{ cert_file: b.keyFile, key_file: b.keyFile }, /\.cert_file: holds no certificate$/],
    [{ cert_file: b.certFile, key_file: b.certFile }, /\.key_file: holds no private key$/],
    [{ ca_file: files.write('empty', '') }, /ca_file: is not PEM/],
    [{ cert_file: a.certFile, key_file: b.keyFile }, /cert_file: .*do not belong together/],
    [
      { cert_file: a.certFile, key_file: a.keyFile },
      /\.key_file: is encrypted and needs a password/,
    ],
    [
      { cert_file: a.certFile, key_file: a.keyFile, key_password: 'x' },
      /\.key_file: the password is wrong/,
    ],
    [{ pkcs12_file: pkcs12, pkcs12_password: 'x' }, /pkcs12_file: the password is wrong/],
    [{ pkcs12_file: pkcs12 }, /pkcs12_file: .*needs a password/],
    [{ pkcs12_file: b.certFile }, /pkcs12_file: is PEM, which belongs into cert_file/],
    [{ pkcs12_file: jks }, /\(JKS\).*keytool -importkeystore .* -deststoretype PKCS12/],
    [{ cert_file: pkcs12, key_file: b.keyFile }, /cert_file: is not PEM.*pkcs12_file/],
  ];
  for (const [section, message] of cases) {
    await assert.rejects(makeClient(section).client.start(), { code: 'config', message });
  }
});

test('the next connection has what the files hold now, unless it is broken', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  await using server = await serve({
    ...files.read(files.make('server', { ca })),
    ca: readFileSync(ca.certFile),
    requestCert: true,
  });
  const { certFile, keyFile } = files.make('first', { ca });
  const second = files.make('second', { ca });
  const section = { ca_file: ca.certFile, cert_file: certFile, key_file: keyFile };
  const { client, log } = makeClient(section);
  await client.start();
  const before = client.options;
  await client.reload();
  assert.equal(client.options, before);

  copyFileSync(second.certFile, certFile);
  await client.reload();
  await client.reload();
  assert.equal(await ask(server, client), 'CN=first');
  assert.deepEqual(
    { ...client.figures, notAfterUnixMs: 0 },
    { reloads: 0, failedReloads: 1, notAfterUnixMs: 0 },
  );
  assert.match(log[0]!.message, /^exporters\.otlp\.tls: the new certificate cannot be used/);
  assert.match(log[0]!.problem, /do not belong together/);

  copyFileSync(second.keyFile, keyFile);
  await client.reload();
  assert.equal(await ask(server, client), 'CN=second');
  assert.notEqual(client.options, before);
  assert.equal(client.figures.reloads, 1);
  assert.equal(log.length, 2);
});
