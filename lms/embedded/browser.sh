#!/bin/sh
# See to it that the journeys have a browser: Debian's Chromium for root, else the one that Playwright fetches.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "安装 Chromium… · installing Chromium for the browser journeys"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
else
    .venv/bin/python -m playwright install chromium
fi
