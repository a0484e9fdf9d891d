#!/usr/bin/env bash
# Fetches the AsyncAPI project's own parser into build/asyncapi-parser: one test needs it, and its 54 MB are more than a clone
# should have to install. Nothing of it runs at the installation.
set -euo pipefail
cd "$(dirname "$0")/.."
target=build/asyncapi-parser
[ -d "$target/node_modules/@asyncapi/parser" ] && exit 0
mkdir -p "$target"
[ -f "$target/package.json" ] || echo '{ "private": true }' >"$target/package.json"
npm install --prefix "$target" --ignore-scripts --no-audit --no-fund --loglevel=error @asyncapi/parser@3.6.6
