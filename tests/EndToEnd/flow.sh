#!/usr/bin/env bash
# The whole life of a second factor, from a shell: a call is a line of buf curl, and oathtool is the authenticator app.
#
#   tests/EndToEnd/flow.sh http://127.0.0.1:7443 data/dev.key
#
# Needs a server with reflection (mfa-server serve --dev), npm ci in the repository, and the Debian packages jq and oathtool.
set -euo pipefail

if (($# != 2)); then
  echo "usage: flow.sh ENDPOINT KEYFILE" >&2
  exit 2
fi
for program in npx jq oathtool; do
  command -v "$program" >/dev/null || { echo "flow.sh needs $program (Debian packages: npm, jq, oathtool)" >&2; exit 2; }
done

endpoint=$1
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Keys, codes and secrets go through files and standard input: arguments are for everyone on the machine to read.
printf 'authorization: Bearer %s\n' "$(cat "$2")" >"$folder/headers"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

call() { # METHOD, request on standard input
  npx --no-install buf curl --protocol grpc --http2-prior-knowledge -H "@$folder/headers" -d @- "$endpoint/mfa.v1.MfaService/$1"
}
code() { # SECRET SECONDS-SINCE-1970
  oathtool --totp=SHA1 --base32 --now "@$2" - <<<"$1"
}
expect() { # WHAT WANTED GOT
  if [[ $3 != "$2" ]]; then
    echo "$1: expected $2, got $3" >&2
    exit 1
  fi
  echo "$1: $3"
}
verify() { # CODE [ENROLLMENT]
  jq -n --arg a "$account" --arg e "${2:-}" --rawfile c <(printf %s "$1") '{account: $a, code: $c, enrollmentId: $e}' |
    call Verify | jq -r .verdict
}
state() { jq -n --arg a "$account" '{account: $a}' | call GetStatus | jq -r .state; }

account="flow-$(date +%s)-$$"
expect "before" STATE_DISABLED "$(state)"

enable=$(jq -n --arg a "$account" '{account: $a, method: "METHOD_AUTHENTICATOR"}' | call Enable)
enrollment=$(jq -r .enrollmentId <<<"$enable")
secret=$(jq -r .secret <<<"$enable")
mapfile -t recovery < <(jq -r '.recoveryCodes[]' <<<"$enable")
expect "recovery codes" 8 "${#recovery[@]}"
expect "enrolling" STATE_PENDING "$(state)"

now=$(date +%s)
expect "first code" VERDICT_ACCEPTED "$(verify "$(code "$secret" "$now")" "$enrollment")"
expect "enrolled" STATE_ENABLED "$(state)"
expect "the same code again" VERDICT_REJECTED "$(verify "$(code "$secret" "$now")")"
expect "next code" VERDICT_ACCEPTED "$(verify "$(code "$secret" $((now + 30)))")"
expect "a recovery code" VERDICT_ACCEPTED "$(verify "${recovery[0]}")"
expect "a recovery code again" VERDICT_REJECTED "$(verify "${recovery[0]}")"

# An error is the exit code of buf: the gRPC status times eight. 9 is FAILED_PRECONDITION: a current code is needed.
status=0
jq -n --arg a "$account" '{account: $a, method: "METHOD_AUTHENTICATOR"}' | call Enable >/dev/null 2>&1 || status=$?
expect "enrolling again without a code" 72 "$status"

renewed=$(jq -n --arg a "$account" --rawfile c <(printf %s "${recovery[1]}") '{account: $a, code: $c}' | call RegenerateRecoveryCodes)
expect "an old recovery code" VERDICT_REJECTED "$(verify "${recovery[2]}")"
expect "a new recovery code" VERDICT_ACCEPTED "$(verify "$(jq -r '.recoveryCodes[0]' <<<"$renewed")")"
echo "done"
