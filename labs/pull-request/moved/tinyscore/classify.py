"""Scores of a classifier. Each takes the predicted and the true labels, two lists in the same order."""


def accuracy(predicted, true):
    """Return the share of correct labels."""
    right = sum(p == t for p, t in zip(predicted, true, strict=True))
    return right / len(true)


def precision(predicted, true, positive=1):
    """Return the share of true positives among the predicted positives."""
    hits = _both(predicted, true, positive)
    return hits / sum(p == positive for p in predicted)


def recall(predicted, true, positive=1):
    """Return the share of true positives among the actual positives."""
    hits = _both(predicted, true, positive)
    return hits / sum(t == positive for t in true)


def specificity(predicted, true, positive=1):
    """Return the share of true negatives among the actual negatives."""
    negatives = sum(p != positive and t != positive for p, t in zip(predicted, true, strict=True))
    return negatives / sum(t != positive for t in true)


def f1(predicted, true, positive=1):
    """Return the harmonic mean of precision and recall."""
    p = precision(predicted, true, positive)
    r = recall(predicted, true, positive)
    return 2 * p * r / (p + r)


def _both(predicted, true, positive):
    """Count the true positives."""
    return sum(p == t == positive for p, t in zip(predicted, true, strict=True))
