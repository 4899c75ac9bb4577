#!/bin/sh
# Builds dist/weft_sys.node from the C files of the addon. Needs cc and the headers of the npm package node-api-headers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
headers="$root/node_modules/node-api-headers/include"
[ -f "$headers/node_api.h" ] || { echo "weft: $headers is missing: run npm ci" >&2; exit 1; }
command -v "${CC:-cc}" >/dev/null || { echo "weft: no C compiler: apt-get install gcc libc6-dev" >&2; exit 1; }
mkdir -p "$root/dist"
chmod go-w "$root/dist"
# Built beside its place and renamed: a running program keeps the file it has loaded.
out=$(mktemp "$root/dist/.weft_sys.XXXXXX")
trap 'rm -f "$out"' EXIT
cd "$here"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror \
  -fPIC -shared -fvisibility=hidden -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -D_GNU_SOURCE \
  -DNAPI_VERSION=8 -I "$headers" -Wl,-z,relro,-z,now,-z,noexecstack -pthread \
  sys.c socket.c message.c namespace.c files.c blocking.c watch.c -o "$out"
chmod 0755 "$out"
mv "$out" "$root/dist/weft_sys.node"
trap - EXIT
