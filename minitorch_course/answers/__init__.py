"""Comparison of answers, and diagnosis of the mistake behind a wrong one."""
