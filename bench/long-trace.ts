// SPDX-License-Identifier: Apache-2.0
import { Random } from '../server/src/cli/tracegen/random.ts';

const SERVICES = 20;
const OPERATIONS = 50;
const REQUEST_SPANS = 5000;
/** The parent of a span is one of this many before it, so that the tree is deep. */
const NEAR_SPANS = 40;
const ROOT_MICROS = 50_000_000;
const ERROR_EVERY = 97;

/** A trace that is as large as a trace gets, as bodies of OTLP/HTTP in JSON. */
export interface LongTrace {
  readonly traceId: string;
  /** The service of the root, which no other trace has. */
  readonly service: string;
  readonly bodies: Iterable<string>;
}

/**
 * A tree of spans some thousand levels deep, all within 50 s.
 * @param startMs of the root, Unix ms
 */
export function createLongTrace(spans: number, seed: number, startMs: number): LongTrace {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  return {
    traceId,
    service: 'long-0',
    bodies: bodiesOf(traceId, spans, new Random(seed), startMs),
  };
}

function* bodiesOf(
  traceId: string,
  spans: number,
  random: Random,
  startMs: number,
): Generator<string> {
  const offsets = new Float64Array(spans);
  const durations = new Float64Array(spans);
  for (let first = 0; first < spans; first += REQUEST_SPANS) {
    const byService = Array.from({ length: SERVICES }, (): object[] => []);
    for (let i = first; i < Math.min(spans, first + REQUEST_SPANS); i++) {
      const parent = Math.max(0, i - 1 - random.int(NEAR_SPANS));
      if (i === 0) durations[0] = ROOT_MICROS;
      else {
        const offset = Math.floor(durations[parent]! * random.float() * 0.3);
        offsets[i] = offsets[parent]! + offset;
        durations[i] = Math.max(
          1,
          Math.floor((durations[parent]! - offset) * (0.5 + random.float() / 2)),
        );
      }
      const startNano = (BigInt(startMs * 1000) + BigInt(offsets[i]!)) * 1000n;
      byService[i % SERVICES]!.push({
        traceId,
        spanId: spanId(i),
        ...(i === 0 ? {} : { parentSpanId: spanId(parent) }),
        name: `operation ${i % OPERATIONS}`,
        kind: 1 + (i % 3),
        startTimeUnixNano: String(startNano),
        endTimeUnixNano: String(startNano + BigInt(durations[i]!) * 1000n),
        attributes: [
          { key: 'http.request.method', value: { stringValue: 'GET' } },
          { key: 'url.path', value: { stringValue: `/items/${i}` } },
          { key: 'item.number', value: { intValue: String(i) } },
        ],
        ...(i % ERROR_EVERY === ERROR_EVERY - 1 ? { status: { code: 2 } } : {}),
      });
    }
    yield JSON.stringify({
      resourceSpans: byService.map((list, service) => ({
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: `long-${service}` } }],
        },
        scopeSpans: [{ spans: list }],
      })),
    });
  }
}

function spanId(index: number): string {
  return (index + 1).toString(16).padStart(16, '0');
}
