"""Scores for classifiers and for text, in plain Python."""
