"""Who will pay a loan back? Logistic regression on some columns of an application."""

import numpy as np

COLUMNS = ("income", "debt", "district")
STEPS, RATE = 300, 0.5


def features(table):
    """The columns that decide, and a constant."""
    return np.column_stack([*(table[name] for name in COLUMNS), np.ones(len(table["income"]))])


def train(table, repaid):
    """Weights for `predict`, by gradient descent."""
    x = features(table)
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        weights -= RATE * x.T @ (1 / (1 + np.exp(-x @ weights)) - repaid) / len(x)
    return weights


def predict(weights, table):
    """True for each application that is granted."""
    return features(table) @ weights > 0
