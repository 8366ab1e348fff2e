#!/bin/sh
# Create a base image with Python from Debian's packages, for machines that cannot reach an image registry. It needs root,
# buildah and debootstrap, and takes a minute. `minitorch lab check docker` builds on it if it exists.
set -eu
name=${1:-localhost/minitorch-base}
mirror=${MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d /var/tmp/minitorch-base.XXXXXX)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" "$mirror" > "$root.log" 2>&1 ||
    { tail -n 5 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*
ln -s /usr/bin/python3 "$root/usr/local/bin/python" # as in the python images of Docker Hub

container=$(buildah --storage-driver vfs from scratch)
buildah --storage-driver vfs add -q "$container" "$root" /
buildah --storage-driver vfs config --cmd python --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
buildah --storage-driver vfs commit -q --rm "$container" "$name"
echo "$name is ready."
