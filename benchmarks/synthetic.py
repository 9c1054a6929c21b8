"""Made-up corpora whose words follow Zipf's law, in the layout that svi-data writes."""

import h5py
import numpy

CHUNK = 65_536  # as svi-data writes them


def zipf_documents(generator, documents, words, vocabulary):
    """[documents, words] int32: distinct words of each document, ascending; word w as frequent as 1 / (w + 1)."""
    drawn = numpy.empty((documents, words), numpy.int32)
    for row in drawn:
        candidates = numpy.unique((vocabulary ** generator.random(8 * words)).astype(numpy.int32) - 1)
        row[:] = numpy.sort(generator.choice(candidates, words, replace=False))
    return drawn


def zipf_counts(generator, shape):
    """How often each of these words occurs, 1 to 99 times: mostly once."""
    return numpy.minimum(99, 1 / (1 - generator.random(shape))).astype(numpy.float32).round()


def write_corpus(path, blocks, documents, words, vocabulary):
    """Writes `documents` of `words` distinct words each, block by block: pairs of words and counts, [rows, words]."""
    with h5py.File(path, "w") as file:
        matrix = file.create_group("X")
        matrix.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        matrix.attrs["shape"] = numpy.array([documents, vocabulary])
        options = {"shape": (documents * words,), "chunks": (CHUNK,), "fletcher32": True}
        indices = matrix.create_dataset("indices", dtype="i4", **options)
        data = matrix.create_dataset("data", dtype="f4", **options)
        first = 0
        for block_words, block_counts in blocks:
            entries = slice(first, first + block_words.size)
            indices[entries] = block_words.ravel()
            data[entries] = block_counts.ravel()
            first = entries.stop
        matrix["indptr"] = numpy.arange(documents + 1, dtype=numpy.int64) * words
        file.create_group("var")["_index"] = numpy.array([f"word{number}" for number in range(vocabulary)], "S")
