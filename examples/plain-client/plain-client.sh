#!/bin/sh
# A provider in nothing but curl and openssl (3.0 or newer): makes a key, advertises, lists and withdraws.
#
#   ./plain-client.sh                                  all four steps, against a hub on this machine
#   ./plain-client.sh advertise                        one step: key, advertise, list or withdraw
#   URL=https://hub.example.org KEY=me.pem ./plain-client.sh list
#
# The signed text is five fields, each but the last ended by a line feed: "vm-discovery/v1", the action, the
# provider id, the time in milliseconds, and the payload: the exact body of an advertisement, nothing for a
# withdrawal. The provider id is the public key itself, so no other name has to be agreed on.
set -eu

URL=${URL:-http://127.0.0.1:7465}
KEY=${KEY:-provider-key.pem}
ADVERTISEMENT=${ADVERTISEMENT:-'{"ip_address":"203.0.113.7","country":"SE","resources":{"cpu":4,"memory":8,"storage":40}}'}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

hex() {
  od -An -v -tx1 | tr -d ' \n'
}

make_key() {
  if [ ! -e "$KEY" ]; then
    (umask 077 && openssl genpkey -algorithm ed25519 -out "$KEY")
    echo "made the key $KEY" >&2
  fi
}

provider_id() {
  openssl pkey -in "$KEY" -pubout -outform DER | tail -c 32 | hex
}

# The hub wants a later time with every signed request. Seconds are all that every `date` knows, so a second step
# within the same second waits for the next one.
now_ms() {
  last=$(cat "$KEY.time" 2>/dev/null || echo 0)
  while now=$(date +%s) && [ "$now" -le "$last" ]; do sleep 1; done
  echo "$now" >"$KEY.time"
  echo "${now}000"
}

# signature ACTION PROVIDER_ID TIME < payload
signature() {
  { printf 'vm-discovery/v1\n%s\n%s\n%s\n' "$1" "$2" "$3" && cat; } >"$scratch/signed"
  openssl pkeyutl -sign -rawin -inkey "$KEY" -in "$scratch/signed" | hex
}

# request METHOD PATH [CURL_OPTION...]: prints the answer; fails when it is an error.
request() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --request "$method" "$@" "$URL$path"
  echo
}

advertise() {
  make_key
  id=$(provider_id)
  t=$(now_ms)
  printf '%s' "$ADVERTISEMENT" >"$scratch/body"
  sig=$(signature advertise "$id" "$t" <"$scratch/body")
  request POST /api/v1/advertisements --data-binary "@$scratch/body" --header 'Content-Type: application/json' \
    --header "X-Provider-ID: $id" --header "X-Provider-Signature: t=$t,v1=$sig"
}

list() {
  request GET '/api/v1/advertisements?cpu=2&memory=4'
}

withdraw() {
  id=$(provider_id)
  t=$(now_ms)
  sig=$(signature withdraw "$id" "$t" </dev/null)
  request DELETE "/api/v1/advertisements/$id" --header "X-Provider-ID: $id" --header "X-Provider-Signature: t=$t,v1=$sig"
}

case ${1:-all} in
  key) make_key && provider_id && echo ;;
  advertise) advertise ;;
  list) list ;;
  withdraw) withdraw ;;
  all) make_key && advertise && list && withdraw ;;
  *) echo "usage: $0 [key|advertise|list|withdraw]" >&2 && exit 2 ;;
esac
