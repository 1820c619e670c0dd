#!/usr/bin/env bash
# The runs of docs/evidence/study.md, one after the other, into runs/study.db. Each resumes after Ctrl-C, and adds
# nothing where it is complete. About an hour on two idle cores. The store that was kept is study.db here.
set -euo pipefail
store="${STORE:-sqlite:///runs/study.db}"

search() { nas run --store "$store" --name "$1" --space "$1" --budget "$2" --timeout 300; }

search nhs 200
search free 200 # taught by the first
search metaformer 60 # exporting a network of timm takes ten seconds
search fastvit 60
search maxxvit 40 # and of this family twenty
