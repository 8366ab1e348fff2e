"""What the cells of a notebook use, in a student's own process."""
