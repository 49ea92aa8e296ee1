#!/usr/bin/env bash
# Times key press to diagnostics of `cellwright lsp` and of another CIF language server in one run, on
# the same files and the same machine. The peer is the PyPI package cif-lsp; it needs Node.
#   tests/bench/lsp-peer.sh [path of the cellwright binary]
set -euo pipefail
cellwright=${1:-target/release/cellwright}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --no-deps --target "$folder" cif-lsp==1.0.3rc2
"$cellwright" bench lsp --peer "node $folder/cif_lsp/js/server.cjs --stdio"
