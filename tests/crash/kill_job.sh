#!/usr/bin/env bash
# Kills a whole training job with SIGKILL at random moments and lets it go on, over and over.
#
#   tests/crash/kill_job.sh BIN_DIRECTORY lda|vae [KILLS [SEED]]
#
# Two ranks under mpirun, a checkpoint at every step. After each kill every checkpoint must verify, the next start
# must resume at the newest of them, and a run that reaches its end must have the parameters of one that was
# never stopped, to the bit, and one line for each step in metrics.jsonl.
set -euo pipefail

if (($# < 2)); then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
bin=$1 model=$2 kills=${3:-12} seed=${4:-1}
steps=400 ranks=2
# shellcheck source=SCRIPTDIR/../../launch/environment.sh
source "$(dirname "$0")/../../launch/environment.sh"
work=$(mktemp -d /tmp/svi-kill-XXXXXX)
trap 'kill_session; rm -rf "$work"' EXIT
# What killed jobs leave behind goes away with the rest.
mkdir "$work/tmp"
export TMPDIR=$work/tmp OMPI_MCA_orte_tmpdir_base=$work/tmp OMPI_MCA_btl_vader_backing_directory=$work/tmp
session=

fail() {
  echo "FAILED after $struck kills (seed $seed): $*" >&2
  for file in "$work"/output "$run"/train.log; do
    if [[ -e $file ]]; then echo "--- $file" >&2 && tail -n 30 "$file" >&2; fi
  done
  exit 1
}

# mpirun gives each rank a process group of its own, but they stay in its session.
pids_of_session() {
  local stat fields
  for stat in /proc/[0-9]*/stat; do
    { read -r fields <"$stat"; } 2>/dev/null || continue
    # pid (name) state parent group session …: a name may hold anything, the last ')' ends it
    read -r -a fields <<<"${fields##*) }"
    if [[ ${fields[3]} == "$session" && ${fields[0]} != Z ]]; then basename "${stat%/stat}"; fi
  done
}

kill_session() {
  local pids
  if [[ -z $session ]]; then return 0; fi
  disown -a # or the shell reports each of them
  while pids=$(pids_of_session) && [[ -n $pids ]]; do
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.02
  done
  session=
}

make_lda() {
  awk -v seed=5 'BEGIN {
    srand(seed)
    for (d = 0; d < 300; d++) {
      first = 40 * int(5 * rand()); line = ""; count = 0
      for (w = first; w < first + 40; w++) if (rand() < 0.5) { line = line " " w ":" 1 + int(4 * rand()); count++ }
      print count line
    }
  }' >"$work/corpus.lda-c"
  for ((word = 0; word < 200; word++)); do echo "word$word"; done >"$work/vocabulary"
  "$bin/svi-data" import lda-c "$work/corpus.lda-c" --vocabulary "$work/vocabulary" --output "$work/train.h5"
  cat >"$work/config.yaml" <<YAML
data: {train: $work/train.h5, validation: {fraction: 0.1}, shards: 8}
model: {type: lda, topics: 5}
optimizer: {type: robbins_monro}
YAML
}

make_vae() {
  {
    printf '\0\0\010\003\0\0\003\350\0\0\0\010\0\0\0\010' # 1000 images of 8 × 8
    LC_ALL=C awk -v seed=5 'BEGIN {
      srand(seed)
      for (i = 0; i < 1000; i++) { shade = rand(); for (p = 0; p < 64; p++) printf "%c", 1 + int(254 * shade * rand()) }
    }'
  } >"$work/images"
  "$bin/svi-data" import idx "$work/images" --output "$work/train.h5"
  cat >"$work/config.yaml" <<YAML
data: {train: $work/train.h5, validation: {fraction: 0.1}, shards: 8}
model: {type: vae, latent: 3, encoder: [30], decoder: [30], likelihood: bernoulli}
optimizer: {type: adam, learning_rate: 0.003}
YAML
}

train() { # RUN_DIRECTORY: in a session of its own, since setsid runs in the background
  setsid mpirun -np $ranks "$bin/svi-train" "$work/config.yaml" --run-dir "$1" --set train.batch=40 \
    --set train.steps=$steps --set checkpoint.every_steps=1 --set evaluation.every_steps=60 \
    --set run.log_every_steps=1 >"$work/output" 2>&1 &
  session=$!
}

field() { # FILE NAME: of `svi-infer info --json`
  "$bin/svi-infer" info "$1" --json >"$work/info" 2>&1 || fail "$1 does not verify: $(<"$work/info")"
  sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$work/info"
}

newest_step() { # empty when there is none; every file must verify
  local file newest=
  for file in "$run"/checkpoints/*.h5; do
    if [[ ! -e $file ]]; then continue; fi
    local step
    step=$(field "$file" step)
    if [[ $file == */step-* ]]; then newest=$step; fi
    if [[ -z $newest ]]; then newest=$step; fi # best.h5 alone
  done
  echo "$newest"
}

require_resumed_at() { # STEP: what the last start said, if it lived to say it
  local said
  if [[ ! -e $run/train.log ]]; then return 0; fi
  said=$(sed -n 's/.*resumed at step \([0-9]*\) of.*/\1/p' "$run/train.log" | tail -n +$((resumed + 1)) | head -n 1)
  if [[ -z $said ]]; then return 0; fi
  resumed=$((resumed + 1)) resumed_in_all=$((resumed_in_all + 1))
  if [[ $said != "$1" ]]; then fail "resumed at step $said, but the newest checkpoint was of step ${1:-none}"; fi
  if grep -q 'rejected' "$run/train.log"; then fail "a checkpoint was rejected"; fi
}

require_finished() {
  local hash lines
  hash=$(field "$run/checkpoints/step-$(printf %012d $steps).h5" parameters_hash)
  if [[ $hash != "$expected" ]]; then fail "the parameters differ from those of a run that was never killed"; fi
  lines=$(sed -n 's/^{"kind":"train","step":\([0-9]*\),.*}$/\1/p' "$run/metrics.jsonl")
  if [[ $lines != "$(seq $steps)" ]]; then fail "metrics.jsonl has not one line for each step"; fi
  finished=$((finished + 1))
}

start_new_run() {
  runs=$((runs + 1)) resumed=0
  run=$work/run-$runs
  mkdir "$run"
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

struck=0 finished=0 runs=0 resumed=0 resumed_in_all=0 before_any=0 expected=
"make_$model" >/dev/null
start_new_run
began=$(now_ms)
train "$run"
wait $session || fail "the run that is not killed failed"
duration_ms=$(($(now_ms) - began)) session=
expected=$(field "$run/checkpoints/step-$(printf %012d $steps).h5" parameters_hash)
[[ ${#expected} == 64 ]] || fail "no parameters_hash in: $(<"$work/info")"
require_finished
echo "$model: $steps steps without a kill take $duration_ms ms; parameters_hash $expected"

RANDOM=$seed
start_new_run
while ((struck < kills)); do
  before=$(newest_step)
  train "$run"
  delay_ms=$((100 + RANDOM * RANDOM % duration_ms))
  # Wakes early when the job ends by itself.
  timeout "$((delay_ms / 1000)).$(printf %03d $((delay_ms % 1000)))" tail --pid=$session -f /dev/null || true
  if [[ -n $(pids_of_session) ]]; then
    kill_session
    struck=$((struck + 1))
    after=$(newest_step)
    require_resumed_at "$before"
    if [[ -z $after ]]; then before_any=$((before_any + 1)); fi
    if ((${after:-0} < ${before:-0})); then fail "the newest checkpoint went from step $before to ${after:-none}"; fi
    echo "kill $struck after $delay_ms ms: newest checkpoint ${before:-none} -> ${after:-none}"
  else
    wait $session || fail "the run failed"
    session=
    require_resumed_at "$before"
    require_finished
    start_new_run
  fi
done
before=$(newest_step)
train "$run"
wait $session || fail "the run failed after the last kill"
session=
require_resumed_at "$before"
require_finished
echo "$struck kills, $before_any before the first checkpoint; $resumed_in_all resumes at the newest checkpoint;" \
  "$finished runs reached the end, all with the same parameters_hash"
