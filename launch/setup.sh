#!/usr/bin/env bash
# Installs what the build needs. Run it as often as you like: it installs only what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'TEXT'
usage: launch/setup.sh [--check] [--no-system] [--tests]

Installs with apt-get (Debian 12, Ubuntu 22.04 and 24.04; by sudo when not root) the compiler, MPI, HDF5 and
the small libraries the build uses, and with pip LibTorch into .venv.

  --check      install nothing: say what is missing, and exit 1 if something is
  --no-system  leave system packages alone, where modules provide compiler, MPI, HDF5 and the rest;
               CMake finds them as usual and names what it does not find
  --tests      also the Python packages that the tests of file formats compare with (anndata, h5py)

CMAKE_PREFIX_PATH=/path/to/libtorch  uses a LibTorch that is already there; none is installed then.
PYTHON=/path/to/python3              the Python that makes .venv (3.10 to 3.14).
TEXT
}

torch=torch==2.13.0 # either flavour, for CPUs or for CUDA: the build needs the CPU half alone
test_packages=(anndata h5py)
system_packages=(
  build-essential cmake ninja-build ccache           # build
  openmpi-bin libopenmpi-dev libhdf5-dev hdf5-tools  # ranks and files
  libssl-dev zlib1g-dev libstb-dev librandom123-dev  # digests, compressed input, pictures, random numbers
  libyaml-cpp-dev libfmt-dev libcli11-dev nlohmann-json3-dev libgtest-dev
  python3-venv                                       # for .venv
)

say() { echo "setup: $*"; }
fail() { say "$*" >&2; exit 1; }

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing_system_packages() {
  local package
  for package in "${system_packages[@]}"; do
    is_installed "$package" || echo "$package"
  done
}

install_system_packages() {
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "not root and no sudo: as root, run apt-get install $*"
    as_root=(sudo)
  fi
  say "installing with apt-get: $*"
  "${as_root[@]}" apt-get update -qq || say "apt-get update failed; going on with the lists there are"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

# The root of a LibTorch outside .venv, as CMake would find it.
existing_libtorch() {
  local folder folders
  IFS=':;' read -ra folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    if [[ -e $folder/include/ATen/ATen.h && -e $folder/lib/libtorch_cpu.so ]]; then
      echo "$folder"
      return
    fi
  done
}

site_packages() { compgen -G '.venv/lib/python3*/site-packages' || true; }
# pip writes RECORD last: without it an installation was broken off.
has_python_package() { compgen -G ".venv/lib/python3*/site-packages/$1-*.dist-info/RECORD" >/dev/null; }

missing_python_packages() {
  local package
  [[ -n $(existing_libtorch) ]] || has_python_package torch || echo "$torch"
  ((with_tests)) || return 0
  for package in "${test_packages[@]}"; do
    has_python_package "$package" || echo "$package"
  done
}

# Pythons that can make a virtual environment and that wheels exist for, the preferred one first.
pythons() {
  local python
  for python in ${PYTHON:-python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.10}; do
    "$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
      2>/dev/null && echo "$python"
  done
  return 0
}

pip_install() { .venv/bin/python -m pip install --disable-pip-version-check "$@"; }

# A virtual environment that takes these packages, by the first Python they exist for.
make_venv() {
  local python
  for python in $(pythons); do
    say "making .venv with $("$python" -c 'import sys; print(sys.executable, sys.version.split()[0])')"
    "$python" -m venv --clear .venv && pip_install "$@" && return
    say "$python would not do"
  done
  rm -rf .venv
  fail "no Python from 3.10 to 3.14 with the venv module takes $*; give one as PYTHON=/path/to/python3, or a \
LibTorch as CMAKE_PREFIX_PATH=/path/to/libtorch"
}

install_python_packages() {
  say "installing with pip into .venv: $*"
  if [[ ! -x .venv/bin/python ]]; then
    make_venv "$@"
    return
  fi
  if [[ -d $(site_packages)/torch ]] && ! has_python_package torch; then
    say "removing a torch whose installation was broken off"
    rm -rf "$(site_packages)"/torch "$(site_packages)"/torch-*.dist-info
  fi
  pip_install "$@" || fail "pip failed, see above; remove .venv to start it afresh"
}

check_only=0 with_system=1 with_tests=0
for argument in "$@"; do
  case $argument in
    --check) check_only=1 ;;
    --no-system) with_system=0 ;;
    --tests) with_tests=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown argument $argument" ;;
  esac
done

packages=()
if ((with_system)); then
  command -v apt-get >/dev/null || fail "no apt-get here: install the counterparts of ${system_packages[*]}, \
then run launch/setup.sh --no-system"
  mapfile -t packages < <(missing_system_packages)
fi
mapfile -t wheels < <(missing_python_packages)

if ((check_only)); then
  ((${#packages[@]} == 0)) || say "missing system packages: ${packages[*]}"
  ((${#wheels[@]} == 0)) || say "missing in .venv: ${wheels[*]}"
  ((${#packages[@]} + ${#wheels[@]} == 0)) || exit 1
  say "nothing is missing"
  exit 0
fi

((${#packages[@]} == 0)) || install_system_packages "${packages[@]}"
((${#wheels[@]} == 0)) || install_python_packages "${wheels[@]}"
libtorch=$(existing_libtorch)
say "done; LibTorch: ${libtorch:-$(site_packages)/torch}"
say "next: cmake --preset release && cmake --build --preset release"
