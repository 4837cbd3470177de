#!/usr/bin/env bash
# What the browser tests need from the system: Chromium and Chinese fonts. Absent and installable: installed. Else the
# tests that need them skip and say so.
set -u
missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium)
ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0
command -v apt-get >/dev/null || { echo "not installed, and there is no apt-get: ${missing[*]}" >&2; exit 0; }
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || { echo "not installed; as root: apt-get install ${missing[*]}" >&2; exit 0; }
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq >/dev/null 2>&1
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || echo "could not be installed: ${missing[*]}" >&2
exit 0
