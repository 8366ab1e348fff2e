"""Predict who will repay a loan, with logistic regression on some columns of an application."""

import numpy as np

COLUMNS = ("income", "debt")
STEPS, RATE = 300, 0.5


def features(table):
    """Return the columns used by the model, and a constant."""
    return np.column_stack([*(table[name] for name in COLUMNS), np.ones(len(table["income"]))])


def train(table, repaid):
    """Return weights for `predict`, trained by gradient descent."""
    x = features(table)
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        weights -= RATE * x.T @ (1 / (1 + np.exp(-x @ weights)) - repaid) / len(x)
    return weights


def predict(weights, table):
    """Return True for each application that is granted."""
    return features(table) @ weights > 0
