"""Drawings that the notebooks show and students need not read: one file for each notebook or kind of picture."""
