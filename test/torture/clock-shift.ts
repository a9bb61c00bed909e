// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';

/** Where a process reads how far its clock is off; see {@link clockEnvironment}. */
const FILE_VARIABLE = 'SPOOR_TORTURE_CLOCK';
/** How often it looks. */
const LOOK_MS = 10;

/** With these variables the wall clock of a process, with its threads, is off by what {@link setClock} says. */
export function clockEnvironment(file: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${import.meta.url}`, [FILE_VARIABLE]: file };
}

/** Sets the clock of the processes that look at a file; they see it within 10 ms. */
export function setClock(file: string, offsetMs: number): void {
  writeFileSync(file, String(offsetMs));
}

function shiftClock(file: string): void {
  const read = (): number => Number(readFileSync(file, 'latin1'));
  let offsetMs = read();
  setInterval(() => (offsetMs = read()), LOOK_MS).unref();
  const RealDate = Date;
  const now = (): number => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      // A new object of the class, whatever its arguments.
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
}

const file = process.env[FILE_VARIABLE];
if (file !== undefined) shiftClock(file);
