#!/usr/bin/env bash
# make dist: dist/ with the wheel and the sdist of a release. twine checks both, the wheel is built from the sdist, and the core of
# the tests passes in what the sdist holds.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.venv-dist
[ -x $venv/bin/twine ] || { rm -rf $venv; .venv/bin/python -m venv $venv; $venv/bin/pip install -q --disable-pip-version-check build twine; }
version=$(.venv/bin/python -c 'import evo; print(evo.__version__)')
grep -q "^version: $version$" CITATION.cff || { echo "CITATION.cff names another version than circuits/version.py, $version"; exit 1; }
grep -q "^## $version$" CHANGELOG.md || { echo "CHANGELOG.md has no section ## $version"; exit 1; }
rm -rf dist build
$venv/bin/python -m build --outdir dist . > /dev/null
rm -rf build
$venv/bin/twine check --strict dist/*
python=$PWD/.venv/bin/python
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -xzf dist/*.tar.gz -C "$unpacked"
cd "$unpacked"/*/
"$python" -c 'import pathlib, circuits; assert pathlib.Path(circuits.__file__).is_relative_to(pathlib.Path.cwd())'
NUMBA_CACHE_DIR="$(dirname "$python")/../numba" "$python" -m pytest -p no:cacheprovider -n "${JOBS:-auto}" --maxprocesses 4 \
  --dist loadfile -m "not long and not slow and not oracle" ${TESTS:-tests/circuits/test_circuit.py tests/circuits/test_motif_file.py \
  tests/fitness/test_references.py tests/evo/spec tests/evo/running/test_run.py tests/reach tests/test_release.py}
ls -l "${python%/.venv/*}/dist"
