#!/bin/sh
# Browser tests where no packet can leave the machine: in a network namespace that has only the loopback device.
#
#   tests/e2e/run.sh PYTHON [PYTEST ARGUMENT...]
#
# The loopback device gets a second address, because aiortc never offers 127.0.0.1 for video. Where namespaces are
# not permitted (some containers) or iproute2 is missing, the tests run as they are: the server still listens on the
# loopback device only, the browser still resolves no name, and video goes over this machine's own address.
set -eu
cd "$(dirname "$0")/../.."
python=${1:?usage: tests/e2e/run.sh PYTHON [PYTEST ARGUMENT...]}
shift
isolate='ip link set lo up && ip addr add 10.99.0.1/32 dev lo && exec "$@"'
if command -v ip >/dev/null 2>&1 && unshare -rn sh -c "$isolate" sh true 2>/dev/null; then
    exec unshare -rn sh -c "$isolate" sh "$python" -m pytest tests/e2e "$@"
fi
echo "tests/e2e/run.sh: no network namespace (iproute2 missing or not permitted), running without one" >&2
exec "$python" -m pytest tests/e2e "$@"
