"""Scores of a classifier. Each takes what was predicted and what is true, two lists of labels in the same order."""


def accuracy(predicted, true):
    """The share of labels that are right."""
    right = sum(p == t for p, t in zip(predicted, true, strict=True))
    return right / len(true)


def precision(predicted, true, positive=1):
    """Of those that were predicted positive, the share that is."""
    found = [t for p, t in zip(predicted, true, strict=True) if p == positive]
    hits = found.count(positive)
    return hits / len(found)


def recall(predicted, true, positive=1):
    """Of those that are positive, the share that was found."""
    wanted = [p for p, t in zip(predicted, true, strict=True) if t == positive]
    hits = wanted.count(positive)
    return hits / len(wanted)


def f1(predicted, true, positive=1):
    """The harmonic mean of precision and recall."""
    p = precision(predicted, true, positive)
    r = recall(predicted, true, positive)
    return 2 * p * r / (p + r)
