"""A student's folder: starting, checking and submitting notebooks."""
