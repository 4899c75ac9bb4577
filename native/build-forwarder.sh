#!/bin/sh
# Builds the CNI plugin, dist/weft-cni or the file given: static, so that it runs in whatever root file system a runtime calls it in.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# musl makes it a tenth of the size; glibc is what Debian's compiler brings.
if [ -z "${CC:-}" ]; then
  if command -v musl-gcc >/dev/null; then CC=musl-gcc; else CC=cc; fi
fi
command -v "$CC" >/dev/null || { echo "weft: no C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }
target=${1:-$root/dist/weft-cni}
mkdir -p "$(dirname "$target")"
# Built beside its place and renamed: a runtime may be executing the old file.
out=$(mktemp "$(dirname "$target")/.weft-cni.XXXXXX")
trap 'rm -f "$out"' EXIT
"$CC" -std=gnu11 -O2 -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror -D_GNU_SOURCE \
  -fstack-protector-strong -static -ffunction-sections -fdata-sections -Wl,--gc-sections,-z,noexecstack,-s \
  "$here/forwarder.c" -o "$out"
chmod 0755 "$out"
mv "$out" "$target"
trap - EXIT
