// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  NO_OPENSSL,
  TestCertificates,
  type CertificateFiles,
} from '../../server/src/net/tls/testing/test-certificates.ts';
import type { SentTrace } from './sdk/expected-trace.ts';
import { SDKS, readClient, runWithSdk, whySkipped } from './sdk/sdk.ts';
import { launchChromium, skipWithoutChromium } from './chromium.ts';
import { SpoorProcess } from './spoor-process.ts';

const BUILD_UI = fileURLToPath(new URL('../../scripts/build-ui.ts', import.meta.url));
const GUIDE = fileURLToPath(new URL('../../docs/guide/tls.md', import.meta.url));
const TOKEN = 'e2e-token-0123456789';
const PATIENCE_MS = 20_000;

/** `--set` for a section that listens with TLS. */
function tlsSets(section: string, { certFile, keyFile }: CertificateFiles, ca?: string): string[] {
  return [
    `${section}.tls.cert_file=${certFile}`,
    `${section}.tls.key_file=${keyFile}`,
    ...(ca === undefined ? [] : [`${section}.tls.client_ca_file=${ca}`]),
  ];
}

for (const sdk of SDKS) {
  const skip = NO_OPENSSL || whySkipped(sdk);
  test(`the ${sdk.name} SDK sends over mTLS with a token`, { skip }, async () => {
    using files = new TestCertificates();
    const ca = files.ca('ca');
    const pair = files.make('server', { ca });
    const own = files.make('agent', { ca });
    const protocols = 'receivers.otlp.protocols';
    await using server = await SpoorProcess.start({
      sets: [
        ...tlsSets(`${protocols}.grpc`, pair, ca.certFile),
        ...tlsSets(`${protocols}.http`, pair, ca.certFile),
        `auth.ingest.tokens=["${TOKEN}"]`,
      ],
    });
    const grpc = new URL(`https://${server.otlpGrpcAddress}`);
    const http = new URL(server.otlpHttpUrl);
    const output = await runWithSdk(sdk, {
      file: sdk.client,
      text: readClient(sdk),
      args: [
        String(BigInt(Date.now() - 1000) * 1_000_000n),
        `grpc=https://localhost:${grpc.port}`,
        `http/protobuf=https://localhost:${http.port}/v1/traces`,
      ],
      env: {
        // Where these name other CAs, Python's requests believe them and not the SDK.
        REQUESTS_CA_BUNDLE: '',
        CURL_CA_BUNDLE: '',
        OTEL_EXPORTER_OTLP_CERTIFICATE: ca.certFile,
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: own.certFile,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: own.keyFile,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}`,
      },
    });
    const traces = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SentTrace);
    assert.equal(traces.length, 2);
    for (const { traceId, transport } of traces) {
      assert.equal(
        (await server.query(`/api/traces/${traceId}`)).status,
        200,
        `${transport}: ${JSON.stringify(server.log)}`,
      );
    }
  });
}

test(
  'a browser asks for the token, and shows the page over TLS',
  { skip: NO_OPENSSL || skipWithoutChromium },
  async () => {
    execFileSync(process.execPath, [BUILD_UI], { stdio: 'inherit' });
    using files = new TestCertificates();
    await using server = await SpoorProcess.start({
      sets: [...tlsSets('query.http', files.make('server')), `auth.query.tokens=["${TOKEN}"]`],
    });
    const browser = await launchChromium();
    try {
      const open = async (password?: string) => {
        const context = await browser.newContext({
          ignoreHTTPSErrors: true,
          ...(password === undefined ? {} : { httpCredentials: { username: 'me', password } }),
        });
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE_MS);
        return { page, answer: await page.goto(server.queryUrl) };
      };
      assert.match(server.queryUrl, /^https:/);
      assert.equal((await open('a-wrong-token-0123456789')).answer?.status(), 401);
      const { page, answer } = await open(TOKEN);
      assert.equal(answer?.status(), 200);
      await page.getByRole('heading', { name: 'Send your first trace' }).waitFor();
      const sent = await server.send(oneSpan());
      assert.equal(sent.status, 200);
      // The page finds it with requests of its own, which carry the token as well.
      await page.getByRole('link', { name: /^shop POST \/orders/ }).waitFor();
    } finally {
      await browser.close();
    }
  },
);

function oneSpan(): string {
  const nowNano = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'POST /orders',
    kind: 2,
    startTimeUnixNano: String(nowNano - 5_000_000n),
    endTimeUnixNano: String(nowNano),
  };
  const attributes = [{ key: 'service.name', value: { stringValue: 'shop' } }];
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }],
  });
}

test(
  'the guide makes certificates with which an agent sends to a collector over mTLS',
  { skip: NO_OPENSSL },
  async () => {
    const guide = readFileSync(GUIDE, 'utf8');
    const [, commands = ''] = /^```sh\n(mkdir -p certs\n.*?)^```$/ms.exec(guide) ?? [];
    using files = new TestCertificates();
    execFileSync('bash', ['-euo', 'pipefail', '-c', commands], {
      cwd: files.directory,
      stdio: 'pipe',
    });
    const pair = (name: string): CertificateFiles => ({
      certFile: files.path(`certs/${name}.crt`),
      keyFile: files.path(`certs/${name}.key`),
    });
    const ca = pair('ca').certFile;
    const grpc = 'receivers.otlp.protocols.grpc';
    await using collector = await SpoorProcess.start({
      sets: [...tlsSets(grpc, pair('collector'), ca), ...tlsSets('query.http', pair('collector'))],
    });
    const { port } = new URL(`https://${collector.otlpGrpcAddress}`);
    const own = pair('agent');
    await using agent = await SpoorProcess.start({
      role: 'agent',
      sets: [
        `exporters.otlp.endpoint=localhost:${port}`,
        `exporters.otlp.tls.ca_file=${ca}`,
        `exporters.otlp.tls.cert_file=${own.certFile}`,
        `exporters.otlp.tls.key_file=${own.keyFile}`,
      ],
    });
    assert.equal((await agent.send(oneSpan())).status, 200);
    const { stdout } = spawnSync('curl', [
      '--silent',
      '--cacert',
      ca,
      `${collector.queryUrl}/api/services`,
    ]);
    assert.match(stdout.toString(), /"shop"/);
  },
);
