#!/usr/bin/env bash
# make pythons: the wheel and the core of the tests with each Python 3.11 to 3.14 that is installed here, also by pyenv; a Python for
# which a dependency has no wheel is named and skipped. PYTHONS="3.13" and TESTS="..." choose.
set -euo pipefail
cd "$(dirname "$0")/../.."
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
.venv/bin/pip wheel -q --disable-pip-version-check --no-deps -w "$outside/dist" .
rm -rf build
cp -r tests runs docs README.md pyproject.toml "$outside"   # the tests, and not the packages beside them
failed=()
works() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }
for version in ${PYTHONS:-3.11 3.12 3.13 3.14}; do
  for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do works "$python" && break; done
  works "$python" || { echo "Python $version: not installed here"; continue; }
  venv=$outside/$version
  "$python" -m venv "$venv"
  if ! "$venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: -c tests/constraints.txt "$(echo "$outside"/dist/*.whl)[data]" \
      pytest pytest-xdist hypothesis mpmath jsonschema networkx pandas polars 2> "$outside/pip-$version.txt"; then
    echo "Python $version: skipped, $(grep -m1 '^ERROR' "$outside/pip-$version.txt" || tail -1 "$outside/pip-$version.txt")"
    continue
  fi
  echo "Python $("$venv/bin/python" -c 'import platform; print(platform.python_version())')"
  (cd "$outside" && "$venv/bin/python" -m tests.reach.digests --check) || failed+=("$version: digests")
  (cd "$outside" && "$venv/bin/python" -m pytest -p no:cacheprovider -n "${JOBS:-auto}" --maxprocesses 4 --dist loadfile \
    -m "not long and not slow and not oracle" ${TESTS:-tests/circuits tests/fitness tests/evo tests/reach}) || failed+=("$version: tests")
  rm -rf "$venv"
done
[ ${#failed[@]} -eq 0 ] || { printf 'fails with Python %s\n' "${failed[@]}"; exit 1; }
