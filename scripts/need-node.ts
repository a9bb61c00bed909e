// SPDX-License-Identifier: Apache-2.0
// Says plainly what is wrong when a script runs on another Node than the pinned one.
import process from 'node:process';

const NEEDED_MAJOR = 26;

const [major] = process.versions.node.split('.');
if (Number(major) < NEEDED_MAJOR) {
  process.stderr.write(
    `Spoor needs Node ${NEEDED_MAJOR}, this is ${process.version}. \`npm ci\` brings it on Linux and macOS ` +
      '(glibc, x64 or arm64); elsewhere install it yourself.\n',
  );
  process.exit(1);
}
