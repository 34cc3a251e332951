#!/bin/sh
# Runs a command where no packet can leave the machine: in a network namespace that has only the loopback device.
#
#   tests/e2e/run.sh COMMAND [ARGUMENT...]        for example: tests/e2e/run.sh .venv/bin/python -m pytest
#
# The loopback device gets a second address, because aiortc never offers 127.0.0.1 for video. Where namespaces are
# not permitted (some containers) or iproute2 is missing, the command runs as it is: the server of the browser tests
# still listens on the loopback device only, the browser still resolves no name, and video goes over this machine's
# own address.
set -eu
[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT...]" >&2; exit 2; }
isolate='ip link set lo up && ip addr add 10.99.0.1/32 dev lo && exec "$@"'
if command -v ip >/dev/null 2>&1 && unshare -rn sh -c "$isolate" sh true 2>/dev/null; then
    exec unshare -rn sh -c "$isolate" sh "$@"
fi
echo "$0: no network namespace (iproute2 missing or not permitted), running without one" >&2
exec "$@"
