"""One run of one LDA tool in a process of its own: seconds, peak memory, φ and α. Started by compare.py and frontier.py.

    peers.py TOOL SETTINGS.json     prints one JSON list; φ goes to files beginning as the settings say

The list holds one object for each number of epochs under "snapshots" in the settings, which end with "epochs" and without
which there is but one. Seconds are those of training alone, without taking snapshots. Every tool trains on the same rows with the same K, priors, minibatches and step sizes, as far as it has them:
see benchmarks/README.md for where they differ.
"""

import json
import resource
import sys
import time

import numpy


def read_counts(path):
    import h5py
    import scipy.sparse

    with h5py.File(path) as file:
        counts = file["X"]
        return scipy.sparse.csr_matrix(
            (counts["data"][:], counts["indices"][:], counts["indptr"][:]), shape=tuple(counts.attrs["shape"]))


def normalized(rows):
    return rows / rows.sum(axis=1, keepdims=True)


def shuffled(counts, seed):
    return counts[numpy.random.RandomState(seed).permutation(counts.shape[0])]


def bags(counts):
    return [list(zip(counts.indices[a:b].tolist(), counts.data[a:b].tolist()))
            for a, b in zip(counts.indptr[:-1], counts.indptr[1:])]


def run_gensim(settings, counts):
    """Its step size is (offset + pass + batches of the first pass)^−decay: constant within later passes.

    Snapshots by its callback at the end of a pass: `update` once a pass would start the step sizes anew.
    LdaMulticore has none of these, so it gives the last only."""
    import gensim
    from gensim.models.callbacks import Metric

    class AfterPass(Metric):
        logger, title, passes, seconds, taken = None, "after pass", 0, 0.0, []

        def get_value(self, model, **_):
            end = time.perf_counter()
            self.seconds += end - self.begun
            self.passes += 1
            if self.passes in settings["snapshots"]:
                self.taken.append((self.passes, self.seconds, model.get_topics(), model.alpha.copy()))
            self.begun = time.perf_counter()

    after_pass = AfterPass()
    corpus = bags(shuffled(counts, settings["seed"]))
    words = {word: str(word) for word in range(counts.shape[1])}
    common = dict(num_topics=settings["topics"], id2word=words, alpha=settings["alpha"], eta=settings["eta"],
                  chunksize=settings["batch"], passes=settings["epochs"], decay=settings["forgetting_rate"],
                  offset=settings["delay"], iterations=settings["max_iterations"],
                  gamma_threshold=settings["tolerance"], eval_every=None, random_state=settings["seed"],
                  dtype=getattr(numpy, settings["precision"]))
    after_pass.begun = start = time.perf_counter()
    if settings["cores"] == 1:
        gensim.models.LdaModel(corpus, update_every=1, callbacks=[after_pass], **common)
        yield from after_pass.taken
    else:
        model = gensim.models.LdaMulticore(corpus, workers=settings["cores"], **common)
        yield settings["epochs"], time.perf_counter() - start, model.get_topics(), model.alpha


def run_sklearn(settings, counts):
    """Counts its batches from 1, so its offset is one less; rows are shuffled anew for each epoch."""
    from sklearn.decomposition import LatentDirichletAllocation

    counts = counts.astype(settings["precision"])
    model = LatentDirichletAllocation(
        settings["topics"], doc_topic_prior=settings["alpha"], topic_word_prior=settings["eta"],
        learning_method="online", batch_size=settings["batch"], learning_decay=settings["forgetting_rate"],
        learning_offset=settings["delay"] - 1, mean_change_tol=settings["tolerance"],
        max_doc_update_iter=settings["max_iterations"], total_samples=counts.shape[0], n_jobs=settings["cores"],
        random_state=settings["seed"])
    seconds = 0.0
    for epoch in range(settings["epochs"]):
        rows = shuffled(counts, settings["seed"] + epoch)
        start = time.perf_counter()
        model.partial_fit(rows)
        seconds += time.perf_counter() - start
        if epoch + 1 in settings["snapshots"]:
            yield epoch + 1, seconds, normalized(model.components_), numpy.full(settings["topics"], settings["alpha"])


def run_vw(settings, counts):
    """Reads text, parsing in; without a cap on iterations, its own tolerance and step count; one thread.

    Word numbers are used as they are, in the low bits; its later passes read a cache it writes in the first. It takes no
    snapshots: one run for each number of epochs."""
    import os
    import tempfile

    import vowpalwabbit

    counts = shuffled(counts, settings["seed"])
    documents, words = counts.shape
    bits = max(1, (words - 1).bit_length())
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "train.vw")
        with open(path, "w") as file:
            for a, b in zip(counts.indptr[:-1], counts.indptr[1:]):
                pairs = zip(counts.indices[a:b].tolist(), counts.data[a:b].tolist())
                file.write("| " + " ".join(f"{word}:{int(count)}" for word, count in pairs) + "\n")
        start = time.perf_counter()
        model = vowpalwabbit.Workspace(
            f"--quiet --lda {settings['topics']} --lda_D {documents} --lda_alpha {settings['alpha']} "
            f"--lda_rho {settings['eta']} --lda_epsilon {settings['tolerance']} -b {bits} "
            f"--minibatch {settings['batch']} --power_t {settings['forgetting_rate']} "
            f"--initial_t {settings['delay']} --random_seed {settings['seed']} --passes {settings['epochs']} "
            f"-d {path} --cache_file {path}.cache -k", enable_logging=False)
        seconds = time.perf_counter() - start
        lambdas = numpy.array([[model.get_weight(word, topic) for word in range(words)]
                               for topic in range(settings["topics"])])
        model.finish()
    alpha = numpy.full(settings["topics"], settings["alpha"])
    yield settings["epochs"], seconds, normalized(lambdas + settings["eta"]), alpha


def run_tomotopy(settings, counts):
    """Collapsed Gibbs sampling; `epochs` is its number of iterations. It learns an asymmetric α."""
    import tomotopy

    model = tomotopy.LDAModel(k=settings["topics"], alpha=settings["alpha"], eta=settings["eta"],
                              seed=settings["seed"])
    if settings.get("learn_alpha", True) is False:
        model.optim_interval = 0
    for a, b in zip(counts.indptr[:-1], counts.indptr[1:]):
        model.add_doc([str(word) for word, count in zip(counts.indices[a:b], counts.data[a:b])
                       for _ in range(int(count))])
    places, seconds, done = None, 0.0, 0
    for iterations in settings["snapshots"]:
        start = time.perf_counter()
        model.train(iterations - done, workers=settings["cores"], parallel=tomotopy.ParallelScheme.DEFAULT)
        seconds += time.perf_counter() - start
        done = iterations
        places = places or [int(word) for word in model.used_vocabs]
        phi = numpy.full((settings["topics"], counts.shape[1]), 1e-12)
        for topic in range(settings["topics"]):
            phi[topic, places] = model.get_topic_word_dist(topic)
        yield iterations, seconds, normalized(phi), numpy.array(model.alpha)


TOOLS = {"gensim": run_gensim, "scikit-learn": run_sklearn, "Vowpal Wabbit": run_vw, "tomotopy": run_tomotopy}


def main():
    tool, settings_path = sys.argv[1:]
    settings = json.load(open(settings_path))
    settings.setdefault("snapshots", [settings["epochs"]])
    counts = read_counts(settings["train"])
    results = []
    for epochs, seconds, phi, alpha in TOOLS[tool](settings, counts):
        path = f"{settings['phi']}-{epochs}.npy"
        numpy.save(path, phi.astype(numpy.float64))
        results.append({"epochs": epochs, "seconds": seconds, "alpha": list(map(float, alpha)), "phi": path})
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps([{**result, "megabytes": peak} for result in results]))


if __name__ == "__main__":
    main()
