#!/usr/bin/env bash
# One study over all hosts of a TPU pod: run this on every host at once, for example by
#   gcloud compute tpus tpu-vm ssh NAME --worker=all --command 'bash tpu_pod.sh xor --members 1000000'
# On a pod jax finds the other hosts by itself. Elsewhere say where process 0 is, how many there are, and which
# this is:
#   COORDINATOR=host0:8476 PROCESSES=2 PROCESS=0 bash tpu_pod.sh xor --members 1000000
# Each host takes its share of the chunks on its own devices; STORE must be on a file system that all hosts see.
set -euo pipefail

where=()
if [ -n "${COORDINATOR:-}" ]; then
  where=(--coordinator "$COORDINATOR" --processes "${PROCESSES:?how many}" --process "${PROCESS:?which one, from 0}")
fi

exec jaxnn study "$@" --distributed "${where[@]}" --out "${STORE:-results/study-pod}"
