#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the end-to-end tests need and a plain Debian lacks: a browser, and the toolchains of
# the SDK clients. Does nothing where everything is there.
set -euo pipefail

# From here Go takes the version that a go.mod asks for by itself.
readonly OLDEST_GO_MINOR=21
readonly NEW_GO=1.26.8

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

packages=()
# need PACKAGE COMMAND...: the package is wanted where the command does not run.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || packages+=("$package")
}

need curl curl --version
need chromium test -x /usr/bin/chromium
need python3-pip python3 -m pip --version
need default-jdk-headless javac -version
need maven mvn --version
need golang-go go version
if [ ${#packages[@]} -gt 0 ]; then
  echo "Installing ${packages[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi

# Debian 12 has Go 1.19. A newer one comes as a module, checked against the sum database.
if [[ $(go env GOVERSION) =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -lt "$OLDEST_GO_MINOR" ]; then
  echo "Installing Go $NEW_GO into /usr/local/go"
  module="golang.org/toolchain@v0.0.1-go$NEW_GO.linux-$(dpkg --print-architecture)"
  directory=$(cd / && go mod download -json "$module" | sed -nE 's/^\t"Dir": "(.*)",$/\1/p')
  as_root rm -rf /usr/local/go
  as_root cp -r "$directory" /usr/local/go
  # Modules are read-only and not executable.
  as_root chmod -R u+w /usr/local/go
  as_root chmod a+x /usr/local/go/bin/go /usr/local/go/bin/gofmt
  as_root find /usr/local/go/pkg/tool -type f -exec chmod a+x {} +
  as_root ln -sf /usr/local/go/bin/go /usr/local/bin/go
  hash -r
  go version
fi
