#!/bin/sh
# The JSON schema by which 1EdTech judges Open Badges 3.0 comes with the source of a package alone, not with what is installed
# of it: fetch that source, of the version and with the hash that the requirements pin, and keep its schemas in .venv.
set -eu
kept=.venv/share/open-badges-schemas
pins=requirements-dev.txt

wanted=$(awk '/^openbadgeslib==/ { taken = 1 } taken { print } taken && !/\\$/ { exit }' "$pins")
if [ -f "$kept/pin" ] && [ "$wanted" = "$(cat "$kept/pin")" ]; then
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "$wanted" >"$folder/pin"
.venv/bin/python -m pip download --quiet --quiet --no-deps --no-binary openbadgeslib --no-build-isolation \
    --require-hashes --requirement "$folder/pin" --dest "$folder"
tar -xzf "$folder"/openbadgeslib-*.tar.gz -C "$folder" --strip-components 4 --wildcards '*/tests/fixtures/ob_schemas/*.json'
mkdir -p "$kept"
mv "$folder"/*.json "$kept"
mv "$folder/pin" "$kept"
