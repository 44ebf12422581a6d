#!/bin/sh
# Make .venv, or bring it up to date: `tools/venv.sh [PYTHON]`.
#
# A changed requirements.txt or interpreter makes the environment anew; a changed pyproject.toml only installs the
# project again. Nothing happens when neither changed. Without PYTHON, the interpreter of the present .venv stays.
set -eu
cd "$(dirname "$0")/.."

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=${1:-}
if [ -z "$python" ] && is_new_enough .venv/bin/python; then
    python=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
elif [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then python=$candidate && break; fi
    done
fi
if [ -z "$python" ] || ! is_new_enough "$python"; then
    echo "make venv: ${python:-python3} is missing or older than Python 3.11." >&2
    echo "Install Python 3.11 or newer, or name one: make venv PYTHON=/path/to/python3.11" >&2
    exit 2
fi

digest() { "$python" -c 'import hashlib, sys
print(hashlib.sha256(b"".join(open(name, "rb").read() for name in sys.argv[1:]) + sys.version.encode()).hexdigest())' "$@"; }
wanted_packages=$(digest requirements.txt tools/venv.sh)
wanted_project=$(digest requirements.txt tools/venv.sh pyproject.toml)

if [ "$(cat .venv/.packages 2>/dev/null)" != "$wanted_packages" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    echo "Making .venv with $("$python" --version) (a few minutes the first time) ..."
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "make venv: $python cannot make environments; on Debian and Ubuntu install the package python3-venv." >&2
        exit 2
    fi
    .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt
    echo "$wanted_packages" > .venv/.packages
fi

if [ "$(cat .venv/.project 2>/dev/null)" != "$wanted_project" ]; then
    # setuptools warns of every editable install; nobody who runs two commands can act on that
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --disable-pip-version-check --quiet \
        --no-deps --no-build-isolation -e .
    echo "$wanted_project" > .venv/.project
    echo ".venv is ready."
fi
