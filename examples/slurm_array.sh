#!/usr/bin/env bash
# One study as a job array: task i of n takes the chunks i, i + n, ... and writes them to the one store.
#   sbatch --array=0-9 examples/slurm_array.sh xor --members 1000000
# Tasks do not talk; one that dies leaves its chunks to a later run of
#   jaxnn study xor --members 1000000 --out STORE
# which computes what is missing and draws the figures. STORE must be on a file system that all nodes see.
#SBATCH --job-name=jaxnn
#SBATCH --cpus-per-task=4
#SBATCH --time=01:00:00
set -euo pipefail

task=${SLURM_ARRAY_TASK_ID:?submit me with sbatch --array=0-9, or set SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT}
tasks=${SLURM_ARRAY_TASK_COUNT:?how many tasks the array has}

exec jaxnn study "$@" --shard "$task/$tasks" --out "${STORE:-results/study-array}"
