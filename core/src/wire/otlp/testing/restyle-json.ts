// SPDX-License-Identifier: Apache-2.0

/**
 * Writes OTLP/JSON in another way that means the same: members in another order, of other spelling, null or unknown
 * ones between, numbers as texts and the other way round, white space, escapes.
 */
export function restyleJson(json: unknown, random: (below: number) => number): string {
  return value(json, '', random);
}

type Random = (below: number) => number;

const UNKNOWN = [
  '{"a":[{"b":null},[],{}]}',
  '[[[[]]],"]}",{"x":"\\\\\\"}"}]',
  '"\\u00e9\\ud83d\\ude00 text"',
  '-12.5e+3',
  '0',
  'true',
  'null',
];

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'];

function value(json: unknown, key: string, random: Random): string {
  if (Array.isArray(json)) {
    const items = json.map((item) => space(random) + value(item, '', random) + space(random));
    return `[${items.length === 0 ? space(random) : items.join(',')}]`;
  }
  if (json !== null && typeof json === 'object') return object(json, key, random);
  if (/UnixNano$|^intValue$|Count$|^flags$/.test(key)) return integer(String(json), random);
  if (key === 'kind' || key === 'code') return enumText(Number(json), key, random);
  if (key === 'doubleValue' && typeof json === 'number' && random(4) === 0) return `"${json}"`;
  if (/Id$/.test(key) && random(3) === 0) return text(String(json).toUpperCase(), random);
  if (key === 'bytesValue') return text(base64(String(json), random), random);
  return typeof json === 'string' ? text(json, random) : JSON.stringify(json);
}

function object(json: object, key: string, random: Random): string {
  const members = Object.entries(json).map(([name, content]) => member(name, content, random));
  // Of an AnyValue only one member may count, so its order is kept.
  if (key !== 'value') {
    for (let i = members.length - 1; i > 0; i--) {
      const other = random(i + 1);
      [members[i], members[other]] = [members[other]!, members[i]!];
    }
  }
  if (random(5) === 0) {
    const unknown = `"unknown${random(10)}":${UNKNOWN[random(UNKNOWN.length)]}`;
    members.splice(random(members.length + 1), 0, unknown);
  }
  if (random(6) === 0 && Object.keys(json).length > 0) {
    // What is replaced later, or is not there at all.
    const [name, content] = Object.entries(json)[0]!;
    if (typeof content === 'string') members.unshift(`${text(name, random)}:null`);
  }
  return `{${space(random)}${members.join(`${space(random)},${space(random)}`)}${space(random)}}`;
}

function member(name: string, content: unknown, random: Random): string {
  const spelled =
    random(4) === 0 ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
  return `${text(spelled, random)}${space(random)}:${space(random)}${value(content, name, random)}`;
}

function integer(digits: string, random: Random): string {
  const forms = [digits, `"${digits}"`, `${digits}.0`, `"${digits}.00"`, `${digits}e0`];
  if (/^-?[1-9][0-9]*000$/.test(digits)) {
    forms.push(
      `${digits.slice(0, -3)}e3`,
      `${digits.slice(0, -3)}E+3`,
      `"${digits.slice(0, -2)}e2"`,
    );
  }
  if (/^-?[1-9][0-9]{2,}$/.test(digits)) {
    forms.push(`${digits.slice(0, -2)}.${digits.slice(-2)}e2`, `${digits}00e-2`);
  }
  return forms[random(forms.length)]!;
}

function enumText(number: number, key: string, random: Random): string {
  const names = key === 'kind' ? SPAN_KINDS : STATUS_CODES;
  const prefix = key === 'kind' ? 'SPAN_KIND_' : 'STATUS_CODE_';
  if (random(3) === 0 && names[number] !== undefined) return `"${prefix}${names[number]}"`;
  return random(3) === 0 ? `"${number}"` : String(number);
}

function base64(standard: string, random: Random): string {
  const other = random(2) === 0 ? standard.replaceAll('+', '-').replaceAll('/', '_') : standard;
  return random(2) === 0 ? other.replace(/=+$/, '') : other;
}

function text(content: string, random: Random): string {
  const quoted = JSON.stringify(content);
  if (random(3) > 0) return quoted;
  let all = '';
  for (const unit of content.split('')) {
    const escape = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    const plain = JSON.stringify(unit).slice(1, -1);
    const isSurrogate = /[\ud800-\udfff]/.test(unit);
    if (unit === '/' && random(2) === 0) all += '\\/';
    else all += isSurrogate || random(3) === 0 ? escape : plain;
  }
  return `"${all}"`;
}

function space(random: Random): string {
  return random(6) === 0 ? [' ', '\n', '\t', '\r\n', '   '][random(5)]! : '';
}
