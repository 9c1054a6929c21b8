"""What a topic model is worth, by one yardstick for every tool: from φ [K, V], rows summing to one, and α [K]."""

import numpy
from scipy.special import psi


def hold_out(phi, alpha, observed, predicted):
    """Document completion in nats a word: θ of a document's observed half by variational Bayes with φ fixed (until
    the mean of |Δγ| falls below 1e-4, at most 300 iterations), then p(w) = Σ_k E[θ_k] φ_kw for the other half."""
    words_by_topic = numpy.ascontiguousarray(phi.T)
    total = 0.0
    for document in range(observed.shape[0]):
        seen = slice(observed.indptr[document], observed.indptr[document + 1])
        asked = slice(predicted.indptr[document], predicted.indptr[document + 1])
        rows, counts = words_by_topic[observed.indices[seen]], observed.data[seen]
        gamma = alpha + counts.sum() / len(alpha)
        for _ in range(300 if len(counts) else 0):
            theta = numpy.exp(psi(gamma) - psi(gamma.sum()))
            updated = alpha + theta * ((counts / (rows @ theta + 1e-300)) @ rows)
            change = numpy.abs(updated - gamma).mean()
            gamma = updated
            if change < 1e-4:
                break
        else:
            gamma = gamma if len(counts) else alpha
        theta = gamma / gamma.sum()
        total += predicted.data[asked] @ numpy.log(words_by_topic[predicted.indices[asked]] @ theta)
    return total / predicted.data.sum()


def top_words(phi, count):
    return numpy.argsort(-phi, axis=1, kind="stable")[:, :count]


def npmi(phi, counts):
    """Mean over topics and pairs of their ten likeliest words, over documents of `counts`; pairs that never meet: −1."""
    present = (counts > 0).astype(numpy.float64).tocsc()
    documents = counts.shape[0]
    scores = []
    for words in top_words(phi, 10):
        columns = present[:, words]
        both = (columns.T @ columns).toarray() / documents
        alone = numpy.diag(both)
        for i in range(len(words)):
            for j in range(i):
                if both[i, j] <= 0:
                    scores.append(-1.0)
                elif both[i, j] >= 1:
                    scores.append(1.0)
                else:
                    scores.append(numpy.log(both[i, j] / (alone[i] * alone[j])) / -numpy.log(both[i, j]))
    return float(numpy.mean(scores))


def diversity(phi):
    """Share of different words among the 25 likeliest of every topic."""
    best = top_words(phi, 25)
    return len(numpy.unique(best)) / best.size
