#!/usr/bin/env bash
# make wheel: the wheel, built and installed without extras in a clean environment outside the clone, does all that it should.
set -euo pipefail
cd "$(dirname "$0")/../.."
clone=$PWD
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
.venv/bin/pip wheel -q --disable-pip-version-check --no-deps -w "$outside/dist" .
rm -rf build
.venv/bin/python -m venv "$outside/venv"
echo "installing $(basename "$outside"/dist/*.whl) alone"
"$outside/venv/bin/pip" install -q --disable-pip-version-check --no-compile -c tests/constraints.txt "$outside"/dist/*.whl
cp tests/reach/wheel.py tests/in_process.py "$outside"
cd "$outside"
env -u PYTHONPATH NUMBA_CACHE_DIR="$clone/.venv/numba" "$outside/venv/bin/python" wheel.py
