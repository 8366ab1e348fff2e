"""The labs: work done in a terminal and a git repository, and what a reviewer would say of it.

Each lab is a folder here with `start` and `check`; what students get lies in `labs/` of the repository.
"""
