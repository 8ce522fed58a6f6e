#!/usr/bin/env bash
# make arm: the digests under qemu-user, as a 64-bit Arm processor computes them. Debian's Python and the wheels for Arm go into
# .venv-arm; nothing is installed on this system. Emulation is slow: some ten minutes, most of it compiling.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=$PWD/.venv-arm
sources=/etc/apt/sources.list.d/debian.sources
command -v qemu-aarch64 >/dev/null || { echo "make arm needs qemu-user: apt-get install qemu-user"; exit 1; }
command -v dpkg-deb >/dev/null && [ -e "$sources" ] || { echo "make arm takes Python for Arm from Debian's archive ($sources): run it on Debian 12 or newer"; exit 1; }

if [ ! -e "$place/.installed" ]; then
  echo "fetching Python and wheels for Arm into .venv-arm"
  rm -rf "$place"
  mkdir -p "$place"/apt/state/lists/partial "$place"/apt/cache/archives/partial "$place"/root
  : > "$place/apt/status"
  apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root
    -o Dir::State="$place/apt/state" -o Dir::Cache="$place/apt/cache" -o Dir::State::status="$place/apt/status"
    -o Dir::Etc::sourceparts=- -o Dir::Etc::sourcelist="$sources")
  "${apt[@]}" update
  "${apt[@]}" -y --no-install-recommends --download-only install python3 libstdc++6 libgomp1
  for package in "$place"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$place/root"; done
  rm -r "$place/apt"
  python=$(basename "$(ls "$place"/root/usr/bin/python3.? "$place"/root/usr/bin/python3.?? 2>/dev/null | tail -1)")
  .venv/bin/python - > "$place/needed.txt" <<'NEEDED'
import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")
NEEDED
  platforms=(--platform manylinux2014_aarch64)
  for glibc in 17 24 26 27 28 31 34; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
  .venv/bin/pip install -q --disable-pip-version-check --target "$place/site" "${platforms[@]}" --only-binary=:all: \
    --implementation cp --python-version "${python#python}" -r "$place/needed.txt"
  echo "$python" > "$place/.installed"
fi

python=$place/root/usr/bin/$(cat "$place/.installed")
PYTHONPATH=$PWD:$place/site NUMBA_CACHE_DIR=$place/cache qemu-aarch64 -L "$place/root" "$python" -c \
  'import platform; print("Python", platform.python_version(), "on", platform.machine())'
PYTHONPATH=$PWD:$place/site NUMBA_CACHE_DIR=$place/cache qemu-aarch64 -L "$place/root" "$python" -m tests.reach.digests --check
echo "the digests on 64-bit Arm are those of this processor"
