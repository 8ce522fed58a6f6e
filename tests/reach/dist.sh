#!/usr/bin/env bash
# make dist: dist/ with the wheel and the sdist of a release. twine checks both, and the wheel is built from the sdist.
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
ls -l dist
