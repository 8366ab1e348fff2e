"""Scores of text."""


def edit_distance(a, b):
    """Return the number of insertions, deletions and replacements that turn `a` into `b`, two strings or two lists."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]
