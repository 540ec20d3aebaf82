#!/bin/sh
# Verify a stored webhook with openssl: verify.sh ID TIMESTAMP SIGNATURE SECRET < body
# (The age of the timestamp is not looked at: this is for what was kept, not for a live receiver.)
set -eu
id=$1 timestamp=$2 signature=$3 secret=${4#whsec_}
key=$(printf '%s' "$secret" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected=v1,$({ printf '%s.%s.' "$id" "$timestamp"; cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
for candidate in $signature; do
  if [ "$candidate" = "$expected" ]; then echo "verified $id"; exit 0; fi
done
echo "not signed with this secret" >&2
exit 1
