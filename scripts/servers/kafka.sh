#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one Apache Kafka node (broker and controller in one) on KAFKA_HOST, or else on loopback, in the foreground, until it
# is told to end:
#
#   kafka.sh DIRECTORY PORT CONTROLLER_PORT [SECURE_PORT CERTIFICATE_PEM CA_PEM]
#   kafka.sh            only fetches it
#
# PORT speaks plain text. SECURE_PORT speaks TLS and wants a login: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 as alice with
# the password secret; CERTIFICATE_PEM holds the server's key and certificate. All state is in DIRECTORY, so that the same
# call again goes on with it. Needs Java 17 or newer, and Maven, which fetches Kafka into the user's cache once (65 MB).
set -euo pipefail

readonly KAFKA=4.4.0
readonly SLF4J=1.7.36
cache="${XDG_CACHE_HOME:-$HOME/.cache}/spoor-servers/kafka-$KAFKA"

# Fetches the jars under another name and moves them when they are complete, so that a cut download is not taken for one.
fetch() {
  [ -d "$cache" ] && return
  echo "fetching Kafka $KAFKA into $cache" >&2
  local new
  new="$(mktemp -d "$(mkdir -p "${cache%/*}" && echo "$cache.XXXXXX")")"
  cat > "$new/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>spoor.test</groupId><artifactId>kafka-server</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>$SLF4J</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$new/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$new/lib" >&2
  # Somebody else may have been faster.
  mv -T "$new" "$cache" 2>/dev/null || rm -rf "$new"
}
fetch
[ $# -gt 0 ] || exit 0

directory=$1 port=$2 controller_port=$3 secure_port=${4:-} host=${KAFKA_HOST:-127.0.0.1}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

listeners="PLAINTEXT://$host:$port"
if [ -n "$secure_port" ]; then listeners="$listeners,SECURE://$host:$secure_port"; fi
cat > "$directory/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$host:$controller_port
listeners=$listeners,CONTROLLER://$host:$controller_port
advertised.listeners=$listeners
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
log.dirs=$directory/data
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
PROPERTIES
if [ -n "$secure_port" ]; then
  security=org.apache.kafka.common.security
  cat >> "$directory/server.properties" <<PROPERTIES
ssl.keystore.type=PEM
ssl.keystore.location=$5
ssl.truststore.type=PEM
ssl.truststore.location=$6
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=$security.plain.PlainLoginModule required user_alice="secret";
listener.name.secure.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=$security.scram.ScramLoginModule required;
PROPERTIES
fi

# The first compiler and the serial collector alone: a test waits for the start more than for anything else.
options=(-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true -cp "$cache/lib/*")
if [ ! -e "$directory/data/meta.properties" ]; then
  java "${options[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn kafka.tools.StorageTool format \
    --cluster-id c3Bvb3ItdGVzdC1rYWZrYQ --config "$directory/server.properties" \
    --add-scram 'SCRAM-SHA-256=[name=alice,password=secret]' \
    --add-scram 'SCRAM-SHA-512=[name=alice,password=secret]' >&2
fi
exec java "${options[@]}" -Dorg.slf4j.simpleLogger.logFile=System.out kafka.Kafka "$directory/server.properties"
