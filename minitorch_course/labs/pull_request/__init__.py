"""The lab `pull-request`: three pull requests to an upstream that reviews, moves on and merges.

`start` creates `upstream.git`, the student's `fork.git`, and a clone; `check` is the maintainers' response.
"""
