#!/bin/sh
# Write requirements.lock and sbom.cdx.json after a change of pyproject.toml or constraints.txt. Needs uv and cyclonedx-bom.
set -eu
cd "$(dirname "$0")/.."
echo hatchling | uv pip compile pyproject.toml - --extra course -c constraints.txt --universal --python-version 3.11 \
    --generate-hashes --no-header --no-annotate -q -o docker/requirements.lock
# One line, without the hashes, which are in the lock.
cyclonedx-py requirements docker/requirements.lock --output-reproducible --of JSON -o - 2> /dev/null | python3 -c '
import json, sys
sbom = json.load(sys.stdin)
for component in sbom["components"]:
    component.pop("externalReferences", None), component.pop("description", None)
print(json.dumps(sbom, separators=(",", ":")))' > docker/sbom.cdx.json.new
mv docker/sbom.cdx.json.new docker/sbom.cdx.json
