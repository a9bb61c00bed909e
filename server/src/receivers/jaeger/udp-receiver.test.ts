// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { Tenancy } from '#net/tenancy.ts';
import { startTokens } from '#net/testing/test-tokens.ts';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { SpoorError } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT } from '@spoor/core/model/ids.ts';
import { splitDatagrams } from '@spoor/core/wire/jaeger/joined-datagrams.ts';
import type { IngestResult } from '#pipeline/trace-ingest.ts';
import { LOOPBACK, startReceiver, until } from '#receivers/testing/receiver-test-bed.ts';
import { ClientReports } from './client-reports.ts';
import { UdpReceiver, type UdpReceiverParts, type UdpReceiverSettings } from './udp-receiver.ts';

const SETTINGS: UdpReceiverSettings = {
  ...LOOPBACK,
  maxPacketBytes: 65_000,
  queuePackets: 100,
  socketBufferBytes: 0,
};
const TAKEN: IngestResult = { accepted: 1, rejected: 0, message: '' };

function start(
  settings: Partial<UdpReceiverSettings> = {},
  more: Partial<UdpReceiverParts> = {},
  budgetBytes?: number,
) {
  const clientReports = new ClientReports();
  return startReceiver(
    (parts) =>
      new UdpReceiver(
        { ...SETTINGS, ...settings },
        {
          ...parts,
          path: 'receivers.test',
          format: 'jaeger_agent_compact',
          tenant: DEFAULT_TENANT,
          clientReports,
          ...more,
        },
      ),
    budgetBytes,
  );
}

/** Sends datagrams at once, so that they are read together. */
async function sendTo(port: number, packets: readonly Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  const sent = packets.map(
    (packet) =>
      new Promise<void>((resolve, reject) => {
        socket.send(packet, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
      }),
  );
  await Promise.all(sent);
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
}

/** The datagrams of a body, as texts. */
function textsOf(body: Uint8Array): string[] {
  return Array.from(splitDatagrams(body), (datagram) => Buffer.from(datagram).toString());
}

test('every datagram is a request, which is not remembered', async () => {
  await using bed = await start();
  await sendTo(bed.port, [Buffer.from('one'), Buffer.from('two')]);
  const figures = bed.receiver.figures.jaeger_agent_compact;
  await until(() => figures.requests === 2);
  assert.deepEqual(
    bed.ingest.calls.flatMap(({ body }) => textsOf(body)),
    ['one', 'two'],
  );
  for (const { format, tenant, once } of bed.ingest.calls) {
    assert.deepEqual([format, tenant, once], ['jaeger_agent_compact', DEFAULT_TENANT, true]);
  }
  assert.equal(figures.wireBytes, 6);
  await until(() => bed.receiver.queuedPackets === 0);
  assert.equal(bed.budget.figures.leases, 0);
});

for (const code of ['malformed', 'overloaded'] as const) {
  test(`of datagrams that are read together, one that is ${code} alone is dropped`, async () => {
    await using bed = await start();
    bed.ingest.answer = () => {
      const texts = textsOf(bed.ingest.calls.at(-1)!.body);
      if (texts.includes('bad')) throw new SpoorError(code, 'no');
      return { ...TAKEN, accepted: texts.length };
    };
    await sendTo(
      bed.port,
      ['a', 'bad', 'b'].map((text) => Buffer.from(text)),
    );
    const figures = bed.receiver.figures.jaeger_agent_compact;
    await until(() => figures.requests === 3);
    assert.deepEqual([figures.acceptedSpans, figures.refusedRequests[code]], [2, 1]);
    assert.equal(figures.wireBytes, 5);
    assert.ok(bed.ingest.calls.some(({ body }) => textsOf(body).length > 1));
  });
}

test('datagrams beyond the queue, the cap or the memory are dropped and counted', async () => {
  await using bed = await start({ queuePackets: 2, maxPacketBytes: 1000 }, {}, 20_000);
  const release: (() => void)[] = [];
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      release.push(() => resolve(TAKEN));
    });
  await sendTo(bed.port, [Buffer.alloc(1001), ...Array<Buffer>(5).fill(Buffer.from('x'))]);
  const { refusedRequests } = bed.receiver.figures.jaeger_agent_compact;
  await until(() => refusedRequests.overloaded === 3);
  assert.deepEqual([refusedRequests.too_large, bed.receiver.queuedPackets], [1, 2]);
  await bed.ingest.called(1);
  for (const end of release) end();
  await until(() => bed.receiver.queuedPackets === 0);

  await using small = await start({}, {}, 3000);
  await sendTo(small.port, [Buffer.alloc(5000)]);
  await until(() => small.receiver.figures.jaeger_agent_compact.refusedRequests.overloaded === 1);
});

test('datagrams that nobody takes hold an eighth of the memory for bodies at most', async () => {
  await using bed = await start({}, {}, 160_000);
  const { promise: over, resolve: release } = Promise.withResolvers<IngestResult>();
  bed.ingest.answer = () => over;
  const { refusedRequests } = bed.receiver.figures.jaeger_agent_compact;
  for (const queued of [1, 2]) {
    await sendTo(bed.port, [Buffer.alloc(8000)]);
    await bed.ingest.called(queued);
  }
  await sendTo(bed.port, [Buffer.alloc(8000)]);
  await until(() => refusedRequests.overloaded === 1);
  assert.equal(bed.receiver.queuedPackets, 2);
  release(TAKEN);
  await until(() => bed.receiver.queuedPackets === 0);
  await sendTo(bed.port, [Buffer.alloc(8000)]);
  await bed.ingest.called(3);
});

test('a datagram that is malformed, or that the store refuses, is dropped with its reason', async () => {
  await using bed = await start();
  const { refusedRequests } = bed.receiver.figures.jaeger_agent_compact;
  for (const code of ['malformed', 'unavailable'] as const) {
    bed.ingest.answer = () => {
      throw new SpoorError(code, 'no');
    };
    await sendTo(bed.port, [Buffer.from('a')]);
    await until(() => refusedRequests[code] === 1);
  }
  await until(() => bed.budget.figures.leases === 0);
});

test('without a tenant every datagram is dropped, and the log says so at the start', async () => {
  await using bed = await start({}, { tenant: undefined });
  await sendTo(bed.port, [Buffer.from('a')]);
  const { refusedRequests } = bed.receiver.figures.jaeger_agent_compact;
  await until(() => refusedRequests.unauthenticated === 1);
  assert.match(bed.log[0]!, /^receivers.test: every datagram is dropped/);
});

test('where tokens are needed, the log says at the start that datagrams have none', async () => {
  const tenancy = new Tenancy(undefined, await startTokens());
  await using bed = await start({}, { tenancy });
  await sendTo(bed.port, [Buffer.from('a')]);
  await bed.ingest.called(1);
  assert.match(bed.log[0]!, /^receivers.test: datagrams have no tokens/);
});

test('what clients say of themselves is added up', async () => {
  const clientReports = new ClientReports();
  await using bed = await start({}, { clientReports });
  const clientReport = {
    service: 'shop',
    clientId: 'c',
    batches: 1,
    fullQueueSpans: 1,
    tooLargeSpans: 2,
    failedSpans: 3,
  };
  bed.ingest.answer = () => ({ ...TAKEN, clientReports: [clientReport] });
  await sendTo(bed.port, [Buffer.from('a')]);
  await until(() => [...clientReports.figures()].length === 1);
  assert.equal([...clientReports.figures()][0]?.failedSpans, 3);
});

test('a shutdown waits for what was received', async () => {
  const bed = await start();
  let finish: () => void = () => undefined;
  bed.ingest.answer = () =>
    new Promise((resolve) => {
      finish = () => resolve(TAKEN);
    });
  await sendTo(bed.port, [Buffer.from('a')]);
  await bed.ingest.called(1);
  let done = false;
  const stopped = bed.receiver.shutdown(60_000).then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done, false);
  finish();
  await stopped;
  assert.equal(bed.receiver.figures.jaeger_agent_compact.acceptedSpans, 1);
  assert.equal(bed.receiver.address, undefined);
});

test('a port that is taken is told as a fault of the configuration', async () => {
  await using bed = await start();
  await assert.rejects(start({ port: bed.port }), {
    code: 'config',
    message: `receivers.test: cannot listen on 127.0.0.1:${bed.port}: EADDRINUSE`,
  });
});

const noTables = existsSync('/proc/net/udp') ? false : 'this system has no /proc/net/udp';
test('datagrams that the kernel drops are read from its table', { skip: noTables }, async () => {
  await using bed = await start();
  assert.equal(bed.receiver.kernelDrops, 0);
});
