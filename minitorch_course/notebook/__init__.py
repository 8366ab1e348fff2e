"""Functions that the cells of a notebook call, in the student's own process."""
