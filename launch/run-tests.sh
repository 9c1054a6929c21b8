#!/usr/bin/env bash
# Set-up, build, all tests; ends with how many passed. Arguments go to ctest: launch/run-tests.sh -R sampler
set -euo pipefail

for argument in "$@"; do
  if [[ $argument == -h || $argument == --help ]]; then
    cat <<'TEXT'
usage: launch/run-tests.sh [CTEST-ARGUMENT...]

Installs what is missing (launch/setup.sh), builds, runs the tests, and ends with how many passed.
  launch/run-tests.sh               all tests
  launch/run-tests.sh -R sampler    those whose names match; more: man ctest
TEXT
    exit 0
  fi
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/environment.sh

launch/setup.sh
launch/setup.sh --tests || echo "run-tests: without Python's anndata and h5py the tests that need them are skipped"
cmake --preset release
cmake --build --preset release

log=build/tests.log
status=0
ctest --preset release --timeout 600 "$@" 2>&1 | tee "$log" || status=$?

# ctest's result lines look like " 3/90 Test #5: base.Random.Repeats .....   Passed    0.01 sec".
results() { sed -nE 's|^ *[0-9]+/[0-9]+ Test +#[0-9]+: (.*)$|\1|p' "$log"; }
count() { results | grep -cE "$1" || true; }

echo
echo "the ten slowest tests:"
results | sed -E 's/^([^ ]+).* ([0-9.]+) sec.*$/\2 \1/' | sort -rn |
  awk 'NR <= 10 { printf "%8.2f s  %s\n", $1, $2 }' # reads all: head would leave sort with a broken pipe

passed=$(count ' Passed +[0-9.]+ sec')
skipped=$(count '\*\*\*Skipped')
failed=$(($(count .) - passed - skipped))
if ((status != 0 && failed == 0)); then
  failed=1 # ctest itself found something wrong, as it said above
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
