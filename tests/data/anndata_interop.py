"""AnnData and svi::data read each other's files: anndata_interop.py PROBE."""

import json
import pathlib
import subprocess
import sys
import tempfile

import anndata
import numpy as np
import pandas as pd
import scipy.sparse

PROBE = sys.argv[1]


def probe(*arguments):
    """What the C++ side makes of a file: its exit code and its output."""
    result = subprocess.run([PROBE, *map(str, arguments)], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def read_by_us(path):
    code, output = probe("read", path)
    assert code == 0, output
    return json.loads(output)


def ours_opens_in_anndata(folder):
    path = folder / "ours.h5ad"
    assert probe("write", path) == (0, "")
    data = anndata.read_h5ad(path)
    expected = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 5, 0, 3]])
    assert scipy.sparse.isspmatrix_csr(data.X) or isinstance(data.X, scipy.sparse.csr_array)
    np.testing.assert_array_equal(data.X.toarray(), expected)
    assert list(data.var_names) == ["alpha", "bèta", "gamma", "delta"]
    assert list(data.obs_names) == ["first", "second", "third"]
    again = folder / "again.h5ad"
    data.write_h5ad(again)
    assert read_by_us(again)["rows"] == read_by_us(path)["rows"]


def theirs_open_here(folder, dtype, options):
    generator = np.random.default_rng(1)
    dense = generator.poisson(0.3, size=(300, 50)).astype(dtype)
    words = [f"wörd{i}" for i in range(50)]
    data = anndata.AnnData(
        scipy.sparse.csr_matrix(dense),
        obs=pd.DataFrame({"year": range(300)}, index=[f"d{i}" for i in range(300)]),
        var=pd.DataFrame({"length": range(50)}, index=pd.Index(words, name="term")),
    )
    path = folder / "theirs.h5ad"
    data.write_h5ad(path, **options)
    found = read_by_us(path)
    assert found["vocabulary"] == words
    expected = [{str(w): int(row[w]) for w in np.flatnonzero(row)} for row in dense]
    assert found["rows"] == expected


def columns_are_refused(folder):
    path = folder / "columns.h5ad"
    anndata.AnnData(scipy.sparse.csc_matrix(np.eye(3, dtype=np.float32))).write_h5ad(path)
    code, output = probe("read", path)
    assert code == 65 and "csc_matrix" in output and "tocsr()" in output, output


def dense_matrix_is_dense_rows(folder):
    path = folder / "dense.h5ad"
    values = np.arange(12, dtype=np.float64).reshape(3, 4) / 8
    anndata.AnnData(values).write_h5ad(path, compression="gzip")
    assert read_by_us(path)["features"] == values.tolist()


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    ours_opens_in_anndata(folder)
    for dtype in [np.float32, np.float64, np.int64, np.int32, np.uint8]:
        theirs_open_here(folder, dtype, {})
        theirs_open_here(folder, dtype, {"compression": "gzip"})
    columns_are_refused(folder)
    dense_matrix_is_dense_rows(folder)
print("anndata and svi::data agree")
