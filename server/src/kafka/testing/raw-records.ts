// SPDX-License-Identifier: Apache-2.0
import { Consumer, Producer } from '@platformatic/kafka';

/** A record as texts. */
export interface TextRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Writes a text to each of some partitions of a topic. */
export async function produceText(
  broker: string,
  topic: string,
  partitions: readonly number[],
  { key, value }: Pick<TextRecord, 'key' | 'value'>,
): Promise<void> {
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [broker] });
  for (const partition of partitions) {
    const message = { topic, partition, key: Buffer.from(key), value: Buffer.from(value) };
    await producer.send({ messages: [message] });
  }
  await producer.close();
}

/** The first records of a topic, once there are so many. */
export async function readTexts(
  broker: string,
  topic: string,
  count: number,
): Promise<TextRecord[]> {
  const consumer = new Consumer({
    clientId: 'test',
    bootstrapBrokers: [broker],
    groupId: `test.${topic}`,
    autocommit: false,
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest' });
  const records: TextRecord[] = [];
  for await (const { key, value, headers } of stream) {
    const texts = Array.from(headers, ([name, text]) => [String(name), String(text)] as const);
    records.push({ key: String(key), value: String(value), headers: new Map(texts) });
    if (records.length === count) break;
  }
  await consumer.close(true);
  return records;
}
