"""Labs: work done in a terminal and a git repository, reviewed by `minitorch lab check`.

Each lab is a folder here with a function that starts it and one that checks it. The files that students get are in
`labs/` of the repository.
"""
