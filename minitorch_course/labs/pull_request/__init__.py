"""The lab of three pull requests: an upstream that reviews, moves on and merges.

`start` lays down `upstream.git`, the student's `fork.git`, and a clone; `check` is the maintainers' answer.
"""
