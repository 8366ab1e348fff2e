"""Scores of a classifier. Each takes the predicted and the true labels, two lists in the same order."""


def accuracy(predicted, true):
    """Return the share of correct labels."""
    right = sum(p == t for p, t in zip(predicted, true, strict=True))
    return right / len(true)


def precision(predicted, true, positive=1):
    """Return the share of true positives among the predicted positives."""
    found = [t for p, t in zip(predicted, true, strict=True) if p == positive]
    hits = found.count(positive)
    return hits / len(found)


def recall(predicted, true, positive=1):
    """Return the share of true positives among the actual positives."""
    wanted = [p for p, t in zip(predicted, true, strict=True) if t == positive]
    hits = wanted.count(positive)
    return hits / len(wanted)


def f1(predicted, true, positive=1):
    """Return the harmonic mean of precision and recall."""
    p = precision(predicted, true, positive)
    r = recall(predicted, true, positive)
    return 2 * p * r / (p + r)
