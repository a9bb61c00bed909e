// SPDX-License-Identifier: Apache-2.0

/** A value in OTLP's JSON. */
export type OtlpValue = Readonly<Record<string, unknown>>;

/** An attribute as both answers must have it. */
export interface CastAttribute {
  readonly key: string;
  readonly otlp: OtlpValue;
  readonly jaeger: { readonly type: string; readonly value: unknown };
}

const BIG = 2n ** 53n;

function text(key: string, value: string): CastAttribute {
  return { key, otlp: { stringValue: value }, jaeger: { type: 'string', value } };
}

function flag(key: string, value: boolean): CastAttribute {
  return { key, otlp: { boolValue: value }, jaeger: { type: 'bool', value } };
}

/** Jaeger's JSON has integers beyond 53 bits as texts, as JavaScript could not read them. */
function int(key: string, value: bigint): CastAttribute {
  const small = value < BIG && value > -BIG;
  const jaeger = { type: 'int64', value: small ? Number(value) : String(value) };
  return { key, otlp: { intValue: String(value) }, jaeger };
}

function double(key: string, value: number): CastAttribute {
  return { key, otlp: { doubleValue: value }, jaeger: { type: 'float64', value } };
}

/** Jaeger has no lists: they are JSON texts. */
function list(key: string, values: readonly OtlpValue[], json: string): CastAttribute {
  const arrayValue = values.length === 0 ? {} : { values };
  return { key, otlp: { arrayValue }, jaeger: { type: 'string', value: json } };
}

/** Attributes of the SERVER span. @param int64 whether the SDK has integers of 64 bits */
export function serverAttributes(int64: boolean): readonly CastAttribute[] {
  const big = int64 ? BIG + 1n : BIG;
  return [
    text('text.ascii', 'hello'),
    text('text.cjk', '余额不足'),
    text('text.emoji', '🦌🚀👩‍👩‍👧'),
    text('text.empty', ''),
    flag('flag.true', true),
    flag('flag.false', false),
    int('int.zero', 0n),
    int('int.negative', -42n),
    int('int.big', big),
    int('int.least', int64 ? -(2n ** 63n) : -BIG),
    double('double.pi', Math.PI),
    double('double.tiny', 5e-324),
    double('double.negative', -0.5),
    list(
      'list.text',
      [{ stringValue: 'x' }, { stringValue: '猫' }, { stringValue: '' }],
      '["x","猫",""]',
    ),
    list('list.flag', [{ boolValue: true }, { boolValue: false }], '[true,false]'),
    list(
      'list.int',
      [{ intValue: '1' }, { intValue: '-2' }, { intValue: String(big) }],
      `[1,-2,"${big}"]`,
    ),
    list('list.double', [{ doubleValue: 0.1 }, { doubleValue: -2.5 }], '[0.1,-2.5]'),
    list('list.empty', [], '[]'),
    {
      key: 'any.bytes',
      otlp: { bytesValue: 'AP+A' },
      jaeger: { type: 'binary', value: 'AP+A' },
    },
    {
      key: 'any.map',
      otlp: {
        kvlistValue: {
          values: [
            { key: 'a', value: { intValue: '1' } },
            {
              key: 'b',
              value: { arrayValue: { values: [{ stringValue: 'x' }, { boolValue: false }, {}] } },
            },
          ],
        },
      },
      jaeger: { type: 'string', value: '{"a":1,"b":["x",false,null]}' },
    },
  ];
}

/** Attributes of the event `cache miss 未命中`. */
export const CACHE_ATTRIBUTES: readonly CastAttribute[] = [
  text('cache.key', '书:42'),
  int('cache.size', 7n),
  double('cache.ratio', 0.25),
  flag('cache.stale', false),
  list('cache.nodes', [{ stringValue: 'a' }, { stringValue: 'b' }], '["a","b"]'),
];

/** Attributes of the links. */
export const LINK_ATTRIBUTES: readonly CastAttribute[] = [
  text('link.why', 'retry of 重试'),
  int('link.attempt', 2n),
];

/** Attributes of the scope `spoor.cast`, where the SDK can send them. */
export const SCOPE_ATTRIBUTES: readonly CastAttribute[] = [
  text('scope.tier', 'gold'),
  int('scope.level', 3n),
];

/** Attributes of the resource, without `service.name`. @param own what the SDK says of itself */
export function resourceAttributes(own: Readonly<Record<string, string>>): CastAttribute[] {
  return [
    text('deployment.environment.name', '测试'),
    int('host.cpus', 8n),
    double('host.load', 0.75),
    flag('host.spot', true),
    list('host.tags', [{ stringValue: 'a' }, { stringValue: 'β' }], '["a","β"]'),
    ...Object.entries(own).map(([key, value]) => text(key, value)),
  ];
}
