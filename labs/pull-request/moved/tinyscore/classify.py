"""Scores of a classifier. Each takes what was predicted and what is true, two lists of labels in the same order."""


def accuracy(predicted, true):
    """The share of labels that are right."""
    right = sum(p == t for p, t in zip(predicted, true, strict=True))
    return right / len(true)


def precision(predicted, true, positive=1):
    """Of those that were predicted positive, the share that is."""
    hits = _both(predicted, true, positive)
    return hits / sum(p == positive for p in predicted)


def recall(predicted, true, positive=1):
    """Of those that are positive, the share that was found."""
    hits = _both(predicted, true, positive)
    return hits / sum(t == positive for t in true)


def specificity(predicted, true, positive=1):
    """Of those that are not positive, the share that was left alone."""
    alone = sum(p != positive and t != positive for p, t in zip(predicted, true, strict=True))
    return alone / sum(t != positive for t in true)


def f1(predicted, true, positive=1):
    """The harmonic mean of precision and recall."""
    p = precision(predicted, true, positive)
    r = recall(predicted, true, positive)
    return 2 * p * r / (p + r)


def _both(predicted, true, positive):
    """How many are positive and were predicted so."""
    return sum(p == t == positive for p, t in zip(predicted, true, strict=True))
