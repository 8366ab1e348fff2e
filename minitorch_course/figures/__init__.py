"""Plots and drawings of the notebooks and lectures, one file per notebook or kind of picture."""
