#!/usr/bin/env bash
# Fetches the etcd that the tests of several hubs run against, from Debian trixie, into build/etcd: bookworm's loses events
# (docs/decisions/0016-etcd-client.md). Nothing is installed, and the machine's own package lists stay as they are.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$PWD/build/etcd
[ -x "$target/usr/bin/etcd" ] && exit 0
sources=/etc/apt/sources.list.d/debian.sources
[ -r "$sources" ] || {
  echo "There is no $sources to derive the place of the packages from." >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/package"
# The first entry is the main archive; updates and security have suites of their own.
sed '/^$/,$d; s/^Suites:.*/Suites: trixie/' "$sources" >"$work/trixie.sources"
apt=(apt-get -qq
  -o "Dir::Etc::sourcelist=$work/trixie.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work/package" && "${apt[@]}" download etcd-server)
mkdir -p "$target"
dpkg -x "$work"/package/etcd-server_*.deb "$target"
"$target/usr/bin/etcd" --version | head -1
