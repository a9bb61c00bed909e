// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectPlain, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { serverTlsSettings } from '#app/tls-settings.ts';
import { serverTlsSchema } from '#config/tls-config.ts';
import { ServerTls, type SecuredListener } from './server-tls.ts';
import {
  NO_OPENSSL,
  TestCertificates,
  type CertificateFiles,
} from './testing/test-certificates.ts';

const OPTIONS = { skip: NO_OPENSSL, timeout: 20_000 };

interface LogLine {
  readonly message: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly problem?: string;
}

/** A server that says each line that comes in capitals, with TLS in front. */
class Bed implements AsyncDisposable {
  readonly log: LogLine[] = [];
  readonly tls: ServerTls;
  // As servers of HTTP.
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (text: Buffer) => socket.write(text.toString().toUpperCase()));
  });
  readonly #sockets = new Set<Socket>();

  private constructor(section: object, listener: Partial<SecuredListener>) {
    const write = (details: object, message: string): void => {
      this.log.push({ ...details, message });
    };
    const config = serverTlsSchema.parse({ reload_interval: '0', ...section });
    assert.ok(config);
    this.tls = new ServerTls(
      { name: 'receivers.test', protocols: ['http/1.1'], handshakeTimeoutMs: 10_000, ...listener },
      serverTlsSettings(config),
      { info: write, warn: write, error: write },
    );
  }

  static async start(section: object, listener: Partial<SecuredListener> = {}): Promise<Bed> {
    const bed = new Bed(section, listener);
    await bed.tls.start();
    bed.tls.protect(bed.#server);
    bed.#server.listen(0, '127.0.0.1');
    await once(bed.#server, 'listening');
    return bed;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Failures that were counted. */
  get failures(): Record<string, number> {
    const { failures } = this.tls.figures;
    return Object.fromEntries(Object.entries(failures).filter(([, count]) => count > 0));
  }

  /** Resolves once as many handshakes have failed. */
  async failed(count: number): Promise<void> {
    const sum = (): number => Object.values(this.failures).reduce((a, b) => a + b, 0);
    while (sum() < count) await new Promise((resolve) => setImmediate(resolve));
  }

  /** A connection that has heard an answer. */
  async connect(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port: this.port, ...options });
    const failed = Promise.withResolvers<never>();
    socket.on('error', failed.reject);
    socket.on('close', () => failed.reject(new Error('closed')));
    await Promise.race([say(socket, 'hello'), failed.promise]);
    failed.promise.catch(() => undefined);
    return socket;
  }

  /** The code of the error with which a connection fails. */
  async codeOf(options: ConnectionOptions): Promise<string> {
    try {
      (await this.connect(options)).destroy();
      return 'connected';
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === undefined || code === 'EPROTO' ? message : code;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tls.shutdown();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function say(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.toString(), text.toUpperCase());
}

function nameOf(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.subject;
}

test(
  'connections come through with their handshake done, from TLS 1.2 on or as told',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const pair = files.make('server', { ca });
    const trust = { ca: readFileSync(ca.certFile) };
    const section = { cert_file: pair.certFile, key_file: pair.keyFile };
    await using bed = await Bed.start(section);
    const socket = await bed.connect({ ...trust, ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    assert.equal(socket.alpnProtocol, 'http/1.1');
    assert.equal(await bed.codeOf({ ...trust, maxVersion: 'TLSv1.2' }), 'connected');
    assert.equal(bed.tls.figures.handshakes, 2);
    const daysLeft = (bed.tls.figures.notAfterUnixMs! - Date.now()) / 86_400_000;
    assert.ok(daysLeft > 19 && daysLeft < 20.1, `${daysLeft} days`);
    socket.destroy();

    await using strict = await Bed.start({ ...section, min_version: 1.3 });
    assert.match(
      await strict.codeOf({ ...trust, maxVersion: 'TLSv1.2' }),
      /alert protocol version/,
    );
    assert.match(
      await strict.codeOf({ ...trust, ALPNProtocols: ['h2'] }),
      /alert no application protocol/i,
    );
    assert.match(await strict.codeOf({}), /VERIFY|SELF_SIGNED|ISSUER/);
    await strict.failed(3);
    assert.deepEqual(strict.failures, { no_common_protocol: 2, refused_by_client: 1 });
  },
);

test(
  'certificates of the CAs between are sent, from the certificate file or one of their own',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const root = files.ca('root');
    const between = files.make('between', { ca: root, isCa: true });
    const leaf = files.make('server', { ca: between });
    const trust = { ca: readFileSync(root.certFile) };
    const key = { key_file: leaf.keyFile };
    await using alone = await Bed.start({ ...key, cert_file: leaf.certFile });
    assert.match(await alone.codeOf(trust), /VERIFY|ISSUER/);
    await using beside = await Bed.start({
      ...key,
      cert_file: leaf.certFile,
      ca_file: between.certFile,
    });
    assert.equal(await beside.codeOf(trust), 'connected');
    const chain = files.write(
      'chain.pem',
      readFileSync(leaf.certFile, 'utf8') + readFileSync(between.certFile, 'utf8'),
    );
    await using together = await Bed.start({ ...key, cert_file: chain });
    assert.equal(await together.codeOf(trust), 'connected');
  },
);

test('with a CA of clients, one without a good certificate sees a TLS alert', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  const server = files.make('server', { ca });
  const stranger = files.make('stranger', { ca: files.ca('other') });
  const late = files.make('late', { ca, days: -1 });
  await using bed = await Bed.start({
    cert_file: server.certFile,
    key_file: server.keyFile,
    client_ca_file: ca.certFile,
  });
  const trust = { ca: readFileSync(ca.certFile) };
  const cases: [client: ConnectionOptions, code: RegExp][] = [
    [files.read(files.make('agent', { ca })), /^connected$/],
    [{}, /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/],
    [{ maxVersion: 'TLSv1.2' }, /alert handshake failure/],
    [files.read(stranger), /ALERT_UNEXPECTED_MESSAGE/],
    [{ ...files.read(stranger), maxVersion: 'TLSv1.2' }, /ALERT_/],
    [files.read(late), /ALERT_UNEXPECTED_MESSAGE/],
  ];
  for (const [client, code] of cases) assert.match(await bed.codeOf({ ...trust, ...client }), code);
  await bed.failed(5);
  assert.deepEqual(bed.failures, { no_client_certificate: 2, bad_client_certificate: 3 });
  assert.equal(bed.tls.figures.openHandshakes, 0);
  // The log is throttled: the first failure of each reason is in it.
  assert.deepEqual(
    bed.log.map(({ message, reason }) => [message, reason]),
    [
      ['receivers.test: TLS handshake failed', 'no_client_certificate'],
      ['receivers.test: TLS handshake failed', 'bad_client_certificate'],
    ],
  );
});

test('CAs that come with the certificate in PKCS#12 let no clients in', OPTIONS, async () => {
  using files = new TestCertificates();
  const ca = files.ca('ca');
  const clientCa = files.ca('client-ca');
  const between = files.make('between', { ca: clientCa, isCa: true });
  await using bed = await Bed.start({
    pkcs12_file: files.pkcs12('server', files.make('server', { ca }), 'geheim', ca),
    pkcs12_password: 'geheim',
    client_ca_file: files.write(
      'client-cas.pem',
      readFileSync(files.ca('third').certFile, 'utf8') + readFileSync(clientCa.certFile, 'utf8'),
    ),
  });
  const trust = { ca: readFileSync(ca.certFile) };
  const outcome = (pair: CertificateFiles): Promise<string> =>
    bed.codeOf({ ...trust, ...files.read(pair) });
  assert.equal(await outcome(files.make('good', { ca: clientCa })), 'connected');
  const far = files.make('far', { ca: between });
  const chain = readFileSync(far.certFile, 'utf8') + readFileSync(between.certFile, 'utf8');
  assert.equal(
    await outcome({ ...far, certFile: files.write('far-chain.pem', chain) }),
    'connected',
  );
  assert.match(await outcome(files.make('bad', { ca })), /ALERT_UNEXPECTED_MESSAGE/);
  await bed.failed(1);
  assert.equal(bed.log[0]!.detail, 'the certificate is not of a CA in client_ca_file');
});

test('a file of CAs that holds none ends the start', OPTIONS, async () => {
  using files = new TestCertificates();
  const { certFile, keyFile } = files.make('server');
  const broken = files.write(
    'broken.pem',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  );
  for (const [file, problem] of [
    [keyFile, /^receivers\.test\.tls\.client_ca_file: holds no certificate$/],
    [broken, /^receivers\.test\.tls\.client_ca_file: .*PEM|asn1/i],
  ] as const) {
    const section = { cert_file: certFile, key_file: keyFile, client_ca_file: file };
    await assert.rejects(Bed.start(section), { code: 'config', message: problem });
  }
});

test(
  'a session that was refused cannot be taken up again, one that was good can',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const server = files.make('server', { ca });
    await using bed = await Bed.start({
      cert_file: server.certFile,
      key_file: server.keyFile,
      client_ca_file: ca.certFile,
    });
    for (const isGood of [false, true]) {
      const pair = files.make(`client-${isGood}`, { ca: isGood ? ca : files.ca('other') });
      const options = {
        ca: readFileSync(ca.certFile),
        host: '127.0.0.1',
        port: bed.port,
        ...files.read(pair),
      };
      const first = connect(options);
      first.on('error', () => undefined);
      const [session] = (await once(first, 'session')) as [Buffer];
      const outcome = await bed.codeOf({ ...options, session });
      assert.match(outcome, isGood ? /^connected$/ : /ALERT/);
      first.destroy();
    }
  },
);

test('plain text to a port with TLS is told so', OPTIONS, async () => {
  using files = new TestCertificates();
  const pair = files.make('server');
  await using bed = await Bed.start({ cert_file: pair.certFile, key_file: pair.keyFile });
  const answer = await fetch(`http://127.0.0.1:${bed.port}/v1/traces`, {
    method: 'POST',
    body: 'x'.repeat(100_000),
  });
  assert.equal(answer.status, 400);
  assert.equal(
    await answer.text(),
    'this port speaks TLS, and what came is plain text: use https\n',
  );

  const session = connectHttp2(`http://127.0.0.1:${bed.port}`);
  session.on('error', () => undefined);
  const request = session.request({ ':path': '/' }).on('error', () => undefined);
  const closed = new Promise((resolve) => request.on('close', resolve));
  const [code, , text] = (await once(session, 'goaway')) as [number, number, Buffer];
  await closed;
  // REFUSED_STREAM: gRPC clients take it as UNAVAILABLE.
  assert.deepEqual([code, request.rstCode], [7, 7]);
  assert.equal(text.toString(), 'this port speaks TLS, and what came is plain text');
  await bed.failed(2);
  assert.deepEqual(bed.failures, { plain_text: 2 });
  assert.equal(bed.log[0]!.detail, 'plain text on a port with TLS');
});

test(
  'who says nothing, or half a handshake, is closed in time; who goes away is no failure to log',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const pair = files.make('server');
    const section = { cert_file: pair.certFile, key_file: pair.keyFile };
    await using bed = await Bed.start(section, { handshakeTimeoutMs: 50 });
    const silent = connectPlain(bed.port, '127.0.0.1');
    const half = connectPlain(bed.port, '127.0.0.1', () => half.write(Buffer.from([0x16, 3, 1])));
    await Promise.all([once(silent, 'close'), once(half, 'close')]);
    assert.deepEqual(bed.failures, { timeout: 2 });
    const gone = connectPlain(bed.port, '127.0.0.1', () => gone.destroy());
    await bed.failed(3);
    const probe = connectPlain(bed.port, '127.0.0.1', () => probe.end());
    await Promise.all([once(probe, 'close'), bed.failed(4)]);
    assert.deepEqual(bed.failures, { timeout: 2, closed: 2 });
    assert.deepEqual(
      bed.log.map(({ reason }) => reason),
      ['timeout'],
    );
  },
);

test('handshakes under way are bounded, and end with the server', OPTIONS, async () => {
  using files = new TestCertificates();
  const pair = files.make('server');
  const sockets: Socket[] = [];
  {
    await using bed = await Bed.start({ cert_file: pair.certFile, key_file: pair.keyFile });
    for (let i = 0; i < 520; i++) {
      sockets.push(connectPlain(bed.port, '127.0.0.1').on('error', () => undefined));
    }
    await bed.failed(8);
    assert.deepEqual(bed.failures, { too_many: 8 });
    assert.equal(bed.tls.figures.openHandshakes, 512);
  }
  await Promise.all(sockets.map(async (socket) => socket.closed || once(socket, 'close')));
});

test(
  'new connections have the certificate that the files hold now, open ones go on',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const { certFile, keyFile } = files.make('first', { ca });
    const second = files.make('second', { ca });
    const trust = { ca: readFileSync(ca.certFile) };
    await using bed = await Bed.start({ cert_file: certFile, key_file: keyFile });
    const open = await bed.connect(trust);
    assert.equal(nameOf(open), 'CN=first');

    writeFileSync(certFile, 'rubbish');
    await bed.tls.reload();
    await bed.tls.reload();
    const meanwhile = await bed.connect(trust);
    assert.equal(nameOf(meanwhile), 'CN=first');
    assert.equal(bed.tls.figures.failedReloads, 1);
    assert.match(bed.log[0]!.message, /^receivers\.test\.tls: the new certificate cannot be used/);
    assert.match(bed.log[0]!.problem ?? '', /tls\.cert_file: is not PEM/);

    copyFileSync(second.certFile, certFile);
    copyFileSync(second.keyFile, keyFile);
    await bed.tls.reload();
    const later = await bed.connect(trust);
    assert.equal(nameOf(later), 'CN=second');
    assert.equal(bed.tls.figures.reloads, 1);
    for (const socket of [open, meanwhile, later]) {
      await say(socket, 'still here');
      socket.destroy();
    }
  },
);

test(
  'a certificate is looked at by itself, also where a link changes as in a volume of Kubernetes',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    for (const name of ['first', 'second']) {
      const pair = files.make(name, { ca });
      mkdirSync(files.path(`..${name}`));
      copyFileSync(pair.certFile, files.path(`..${name}/tls.crt`));
      copyFileSync(pair.keyFile, files.path(`..${name}/tls.key`));
    }
    symlinkSync('..first', files.path('..data'));
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, files.path(name));
    await using bed = await Bed.start({
      cert_file: files.path('tls.crt'),
      key_file: files.path('tls.key'),
      reload_interval: '10ms',
    });
    symlinkSync('..second', files.path('..data_tmp'));
    renameSync(files.path('..data_tmp'), files.path('..data'));
    while (bed.tls.figures.reloads === 0) await new Promise((resolve) => setImmediate(resolve));
    const socket = await bed.connect({ ca: readFileSync(ca.certFile) });
    assert.equal(nameOf(socket), 'CN=second');
    socket.destroy();
  },
);

test(
  'a certificate that has ended or soon will is warned of at the start and when it changes, once a day',
  OPTIONS,
  async () => {
    using files = new TestCertificates();
    const late = files.make('late', { days: -1 });
    const soon = files.make('soon', { days: 2 });
    const good = files.make('good');
    await using bed = await Bed.start({ cert_file: late.certFile, key_file: late.keyFile });
    await bed.tls.reload();
    for (const next of [soon, good]) {
      copyFileSync(next.certFile, late.certFile);
      copyFileSync(next.keyFile, late.keyFile);
      await bed.tls.reload();
    }
    const at = 'receivers.test.tls';
    assert.deepEqual(
      bed.log.map(({ message }) => message),
      [
        `${at}: the certificate has ended`,
        `${at}: certificate has changed`,
        `${at}: the certificate ends in 2 days`,
        `${at}: certificate has changed`,
      ],
    );
  },
);
