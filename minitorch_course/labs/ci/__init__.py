"""The lab of the gate: a workflow that refuses changes which pass every test and make a model worse.

The student's gate is tried on pull requests that it has seen, and on some that it has not.
"""
