"""The lab `ci`: a workflow that rejects changes which pass every test and make a model worse.

The student's gate is tested with pull requests that students know, and with some that they do not.
"""
