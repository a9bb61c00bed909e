// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';

/** Tables of the UDP sockets of this network namespace; Linux alone has them. */
const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/** Columns of a table, split at spaces. */
const LOCAL_ADDRESS = 1;
const DROPS = 12;

/**
 * Datagrams that the kernel threw away since a socket was bound, since its buffer was full. Nobody else counts them.
 * @returns undefined where the system does not tell
 * @see https://www.kernel.org/doc/html/v6.12/networking/proc_net_tcp.html (the columns are the same)
 */
export function kernelDrops(address: string, port: number): number | undefined {
  for (const table of TABLES) {
    let text: string;
    try {
      text = readFileSync(table, 'utf8');
    } catch {
      continue;
    }
    const drops = findDrops(text, address, port);
    if (drops !== undefined) return drops;
  }
  return undefined;
}

/** Finds a socket's drops in the text of a table. */
export function findDrops(
  text: string,
  address: string,
  port: number,
  isLittleEndian = endianness() === 'LE',
): number | undefined {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const local = `${hexAddress(address, isLittleEndian)}:${hexPort}`;
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[LOCAL_ADDRESS] === local) return Number(columns[DROPS]);
  }
  return undefined;
}

/** An address as the tables have it: words of 32 bits in the order of the machine. */
function hexAddress(address: string, isLittleEndian: boolean): string {
  const bytes = address.includes(':') ? ipv6Bytes(address) : address.split('.').map(Number);
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    const part = bytes.slice(word, word + 4);
    if (isLittleEndian) part.reverse();
    text += part.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return text.toUpperCase();
}

function ipv6Bytes(address: string): number[] {
  // A URL writes the address in one form: hex groups, the zeros left out once.
  const plain = new URL(`http://[${address.replace(/%.*/, '')}]/`).hostname.slice(1, -1);
  const [before = '', after] = plain.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const number = Number.parseInt(group, 16);
    return [number >> 8, number & 255];
  });
}
