#!/bin/sh
# Send yourself a signed webhook, to try a receiver out: send.sh URL SECRET < body
set -eu
url=$1 secret=${2#whsec_} id=msg_by_hand timestamp=$(date +%s)
body=$(cat)
key=$(printf '%s' "$secret" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=v1,$(printf '%s.%s.%s' "$id" "$timestamp" "$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
curl --fail --silent --show-error --noproxy '*' "$url" \
  -H 'content-type: application/json' -H "webhook-id: $id" \
  -H "webhook-timestamp: $timestamp" -H "webhook-signature: $signature" --data-binary "$body"
