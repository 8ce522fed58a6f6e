#!/usr/bin/env bash
# make d3: packs what our pages use of D3 into evo/inspect/web/d3.min.js. Needs npm and the network; run it where a page uses more.
set -euo pipefail
cd "$(dirname "$0")/../.."
file=$PWD/evo/inspect/web/d3.min.js
names=$(grep -rhoE '\bd3\.[a-zA-Z]+' evo/inspect/web evo/web/static --include='*.js' --exclude=d3.min.js | sed 's/d3\.//' | sort -u | paste -sd,)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm init -y > /dev/null
npm install --silent d3@7 esbuild@0
echo "export { $names } from 'd3';" > d3.mjs
version=$(node -p 'JSON.parse(require("fs").readFileSync("node_modules/d3/package.json")).version')
npx esbuild d3.mjs --bundle --minify --format=iife --global-name=d3 --legal-comments=none \
  --banner:js="// https://d3js.org v$version Copyright 2010-2026 Mike Bostock, ISC licence; the parts that our pages use" --outfile="$file"
