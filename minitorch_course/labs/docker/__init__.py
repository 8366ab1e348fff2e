"""The lab `docker`: package a model so that others can run it, and can trust its content.

The Dockerfile and the files next to it are checked against rules. If there is a builder, the image is built and tested.
"""
