"""How do models get small?

Read `distill` (a small model learns from a large one).
"""
