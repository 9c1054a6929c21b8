"""What svi-infer writes of a topic model, opened by the tools it is for: other_tools.py PROGRAMS [RUN DATA].

Without a run it trains a small one on generated documents. Prints what was compared and how close it is.
"""

import json
import logging
import pathlib
import subprocess
import sys
import tempfile
import warnings

import anndata
import gensim
import h5py
import numpy as np
import pandas as pd
import pyLDAvis
import scipy.io
import scipy.sparse
from gensim.models import LdaModel

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
PROGRAMS = pathlib.Path(sys.argv[1])


def svi(program, *arguments):
    result = subprocess.run([PROGRAMS / program, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def small_run(folder):
    generator = np.random.default_rng(1)
    topics = generator.dirichlet(np.full(200, 0.05), 6)
    shares = generator.dirichlet(np.full(6, 0.2), 500)
    counts = np.array([generator.multinomial(60, share @ topics) for share in shares], dtype=np.float32)
    data = anndata.AnnData(scipy.sparse.csr_matrix(counts))
    data.var_names = [f"wörd{v}" for v in range(200)]
    data.obs_names = [f"document {d}" for d in range(500)]
    data.write_h5ad(folder / "documents.h5ad")
    config = folder / "lda.yaml"
    config.write_text(
        f"run: {{name: run, directory: {folder}}}\n"
        f"data: {{train: {folder / 'documents.h5ad'}, validation: {{fraction: 0.1}}}}\n"
        "model: {type: lda, topics: 6}\noptimizer: {type: robbins_monro}\ntrain: {batch: 50, epochs: 20}\n"
    )
    svi("svi-train", config)
    return folder / "run", folder / "documents.h5ad"


def topics_of(run):
    """E[β] by topic and word, with every word of the vocabulary."""
    info = json.loads(svi("svi-infer", "info", "--json", run))
    with h5py.File(info["file"]) as file:
        stored = file["parameters/lambda"]
        tokens = stored[:].astype(np.float64).T
        tokens = tokens * stored.attrs.get("scale_factor", 1.0) + stored.attrs.get("add_offset", 0.0)
    return tokens / tokens.sum(axis=1, keepdims=True)


def theta_opens(folder, run, path, data):
    for ending in ["h5ad", "tsv", "mtx"]:
        svi("svi-infer", "transform", run, path, "--output", folder / f"theta.{ending}")
    ours = anndata.read_h5ad(folder / "theta.h5ad")
    theta = ours.obsm["X_topics"]
    assert list(ours.obs_names) == list(data.obs_names) and theta.dtype == np.float32
    table = pd.read_csv(folder / "theta.tsv", sep="\t", index_col="id", keep_default_na=False)
    assert list(table.index.astype(str)) == list(data.obs_names)
    np.testing.assert_array_equal(table.to_numpy(np.float32), theta)
    np.testing.assert_array_equal(scipy.io.mmread(folder / "theta.mtx").astype(np.float32), theta)
    data.obsm["X_topics"] = theta
    data.write_h5ad(folder / "joined.h5ad")
    print(f"theta {theta.shape}: anndata {anndata.__version__}, pandas and SciPy read the same numbers")
    return theta.astype(np.float64)


def gensim_loads(folder, run, beta, theta, data):
    path = str(folder / "lda.gensim")
    svi("svi-infer", "export", run, "--format", "gensim", "--output", path)
    lda = LdaModel.load(path)
    topics = np.abs(lda.get_topics() / beta - 1).max()
    counts = data.X.tocsr()[:1000]
    rows = [counts[d] for d in range(counts.shape[0])]
    documents = [list(zip(row.indices.tolist(), row.data.tolist())) for row in rows]
    gamma, _ = lda.inference(documents)
    shares = gamma / gamma.sum(axis=1, keepdims=True)
    apart = np.abs(shares - theta[: len(documents)]).sum(axis=1) / 2
    assert topics < 1e-5, topics
    assert np.median(apart) < 0.01, np.median(apart)
    words = list(data.var_names[:2])
    assert lda.id2word.doc2bow([*words, "no such word"]) == [(0, 1), (1, 1)]
    assert abs(sum(share for _, share in lda.get_document_topics(documents[0], minimum_probability=0)) - 1) < 1e-5
    lda.save(path + ".again")  # as gensim writes itself
    np.testing.assert_array_equal(LdaModel.load(path + ".again").get_topics(), lda.get_topics())
    lda.update(documents[:100])
    print(
        f"gensim {gensim.__version__}: topics within {topics:.1e} (relative); theta of {len(documents)} documents "
        f"apart by {np.median(apart):.1e} in the median, {apart.max():.1e} at most (total variation)"
    )


def ldavis_agrees(folder, run, beta, theta, data):
    for ending in ["json", "html"]:
        svi("svi-infer", "export", run, "--format", "ldavis", "--output", folder / f"topics.{ending}")
    ours = json.loads((folder / "topics.json").read_text())
    lengths = np.asarray(data.X.sum(axis=1)).ravel()
    frequency = np.asarray(data.X.sum(axis=0)).ravel()
    prepared = pyLDAvis.prepare(beta, theta, lengths, list(data.var_names), frequency, n_jobs=1)
    theirs = json.loads(prepared.to_json())
    assert theirs.keys() == ours.keys()
    for key in ["R", "lambda.step", "plot.opts", "topic.order"]:
        assert theirs[key] == ours[key], key
    gaps = {"Freq": np.abs(np.subtract(theirs["mdsDat"]["Freq"], ours["mdsDat"]["Freq"])).max()}
    for axis in "xy":  # an axis may point either way
        a, b = np.array(theirs["mdsDat"][axis]), np.array(ours["mdsDat"][axis])
        gaps[axis] = np.abs(a - np.sign(a @ b) * b).max()
    assert all(gap < 1e-5 for gap in gaps.values()), gaps
    info, own = (pd.DataFrame(x["tinfo"]).set_index(["Category", "Term"]) for x in (theirs, ours))
    assert set(info.index) == set(own.index)
    assert list(info.loc["Default"].index) == list(own.loc["Default"].index)
    differences = (info - own.loc[info.index]).abs()
    assert differences[["logprob", "loglift"]].max().max() < 2e-4
    assert differences[["Freq", "Total"]].max().max() <= 1  # whole numbers, cut off
    table, spread = (pd.DataFrame(x["token.table"]).set_index(["Term", "Topic"]).Freq for x in (theirs, ours))
    assert len(table.index.symmetric_difference(spread.index)) <= 2  # at half a token
    loaded = pyLDAvis.PreparedData(
        pd.DataFrame(ours["mdsDat"]), pd.DataFrame(ours["tinfo"]), pd.DataFrame(ours["token.table"]),
        ours["R"], ours["lambda.step"], ours["plot.opts"], ours["topic.order"],
    )
    assert list(loaded.sorted_terms(1, 0.6).Term[:10]) == list(prepared.sorted_terms(1, 0.6).Term[:10])
    assert "new LDAvis" in pyLDAvis.prepared_data_to_html(loaded)
    print(
        f"pyLDAvis {pyLDAvis.__version__}: {len(own)} terms and {len(spread)} shares as its prepare gives them; "
        f"coordinates within {max(gaps['x'], gaps['y']):.1e}, percentages within {gaps['Freq']:.1e}"
    )


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    run, path = map(pathlib.Path, sys.argv[2:4]) if len(sys.argv) > 3 else small_run(folder)
    data = anndata.read_h5ad(path)
    beta = topics_of(run)
    theta = theta_opens(folder, run, path, data)
    gensim_loads(folder, run, beta, theta, data)
    ldavis_agrees(folder, run, beta, theta, data)
