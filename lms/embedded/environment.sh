#!/bin/sh
# Install a requirements file into .venv, from the project's folder. Does nothing when that very file is installed
# already; what an interruption left half done is done again, for the mark is set last.
set -eu
requirements=$1
mark=".venv/installed-$requirements"

if cmp -s "$requirements" "$mark" && .venv/bin/python -c "" 2>/dev/null; then
    exit 0
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=""
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        # Run, not only found: a version manager's stand-in is there also for versions that are not.
        if [ -n "$candidate" ] && "$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        echo "✗ Python 3.11 or newer is needed; none was found (name one with PYTHON=)" >&2
        exit 1
    fi
    echo "准备 Python 环境… · making .venv with $("$python" --version)"
    if ! output=$("$python" -m venv --clear .venv 2>&1); then
        echo "$output" >&2
        echo "✗ $python cannot make .venv; on Debian and Ubuntu its module comes with: apt-get install python3-venv" >&2
        exit 1
    fi
fi

echo "安装 $requirements，需一两分钟… · installing it, a minute or two"
.venv/bin/python -m pip install --quiet --quiet --require-hashes --requirement "$requirements"
cp "$requirements" "$mark.new"
mv "$mark.new" "$mark"
