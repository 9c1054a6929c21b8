#!/bin/sh
# other_tools.sh PYTHON SOURCE PROGRAMS: runs other_tools.py by PYTHON, or by .venv's where that is empty.
# Exits 77 (skipped) when Python lacks one of the tools.
python=${1:-$2/.venv/bin/python}
if ! "$python" -c 'import anndata, gensim, pyLDAvis' 2>/dev/null; then
  echo "skipped: $python lacks anndata, gensim or pyLDAvis; set the CMake variable SVI_TOPICS_PYTHON"
  exit 77
fi
exec "$python" "$2/tests/cli_infer/other_tools.py" "$3"
