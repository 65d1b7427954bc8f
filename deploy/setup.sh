#!/bin/sh
# Creates .venv from a Python of at least 3.11 and installs the locked packages, hashes checked.
# What is missing is installed where this user may, or named in one line. Called by `make setup`.
set -eu

say() { printf 'setup: %s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
whole() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# 3.11 first: the lock file was made and is tested with it.
find_python() {
    for name in python3.11 python3 python3.12 python3.13; do
        if command -v "$name" >/dev/null && new_enough "$name" && whole "$name"; then
            command -v "$name"
            return
        fi
    done
}

install_python() {
    packages='python3 python3-venv'
    if command -v python3.11 >/dev/null; then packages='python3.11-venv'; fi
    if ! command -v apt-get >/dev/null; then
        say 'Python 3.11 or later with venv is missing: install it and try again'
        exit 1
    fi
    sudo=''
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "Python 3.11 or later with venv is missing: run \`sudo apt-get install -y $packages\` and try again"
            exit 1
        fi
        sudo='sudo -n'
    fi
    say "installing $packages"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null
    # shellcheck disable=SC2086  # both are lists of words
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends $packages >/dev/null
}

python=$(find_python)
if [ -z "$python" ]; then
    install_python
    python=$(find_python)
fi
if [ -z "$python" ]; then
    say 'no Python 3.11 or later is to be had from this machine'"'"'s packages: install one and try again'
    exit 1
fi

if ! { [ -x .venv/bin/python ] && new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    rm -rf .venv
    say "creating .venv with $("$python" --version) from $python"
    "$python" -m venv .venv
fi
say 'installing the locked packages'
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
