"""The lab of the container: a model packaged so that somebody else can run it, and trust what is inside.

The Dockerfile and the files beside it are read against rules; where a builder is, the image is built, and asked.
"""
