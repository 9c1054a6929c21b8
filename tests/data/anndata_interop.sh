#!/bin/sh
# anndata_interop.sh PYTHON SOURCE PROBE: runs anndata_interop.py by PYTHON, or by .venv's where that is empty.
# Exits 77 (skipped) when there is no anndata.
python=${1:-$2/.venv/bin/python}
if ! "$python" -c 'import anndata' 2>/dev/null; then
  echo "skipped: $python has no anndata; install it there or set the CMake variable SVI_ANNDATA_PYTHON"
  exit 77
fi
exec "$python" "$2/tests/data/anndata_interop.py" "$3"
