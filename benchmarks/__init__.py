"""Side-by-side measurements against named peers, in the same run, in turn. Each module writes the page of its name."""
