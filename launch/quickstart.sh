#!/usr/bin/env bash
# From a bare checkout to two trained models: set-up, build, real data, training on two ranks, results.
# Run it as often as you like: what is there is kept, and every run gets a folder of its own.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: launch/quickstart.sh

Takes no arguments. Installs what is missing (launch/setup.sh), builds, fetches Fashion-MNIST and Debian's package
descriptions, trains a variational autoencoder and a topic model on two ranks, and shows what came out.
Results go to runs/quickstart-DATE-TIME, data to data/.
TEXT
}
for argument in "$@"; do
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "quickstart: error: unknown argument '$argument'" >&2
      usage >&2
      exit 64
      ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/environment.sh

heading() { printf '\n== %s\n' "$*"; }
# Shows a command, then runs it.
run() {
  echo "\$ $*"
  "$@"
}
fetch() { # NAME FILE
  if [[ -e $2 ]]; then
    echo "$2 is there"
  else
    run build/bin/svi-data fetch "$1"
  fi
}

heading "set-up"
launch/setup.sh

heading "build"
cmake --preset release
cmake --build --preset release --target svi-train svi-data svi-infer

heading "data"
fetch fashion-mnist data/fashion-mnist-test.h5
fetch debian-descriptions data/debian.h5

runs=runs/quickstart-$(date +%Y%m%d-%H%M%S)

heading "a variational autoencoder on Fashion-MNIST, five epochs on two ranks"
run mpirun -np 2 build/bin/svi-train configs/vae-fashion-mnist.yaml --run-dir "$runs/vae" --set train.epochs=5

heading "topics of Debian's package descriptions, five epochs on two ranks"
run mpirun -np 2 build/bin/svi-train configs/lda-debian.yaml --run-dir "$runs/lda"

heading "what came out"
run build/bin/svi-infer topics "$runs/lda" --topics 20
run build/bin/svi-infer sample "$runs/vae" --output "$runs/samples.png"
run build/bin/svi-infer reconstruct "$runs/vae" --output "$runs/reconstructions.png"

cat <<TEXT

pictures     $PWD/$runs/samples.png
             $PWD/$runs/reconstructions.png (each image above its reconstruction)
runs         $PWD/$runs/{vae,lda}: config.yaml, metrics.jsonl, train.log, checkpoints/
data         $PWD/data
programs     $PWD/build/bin/{svi-train,svi-data,svi-infer} --help
took         $((SECONDS / 60)) min $((SECONDS % 60)) s
TEXT
