"""How a notebook is written, built and proven fit to be taught with."""
