"""Builds the extension `dist/ecs-cd-<version>.vsix`: what `make vsix` runs. The same inputs give the same bytes.

`wheels` fetches the pinned dependencies, `python_packages` unpacks and prunes them beside `ecs_cd`, `smoke_test` uses
all of it from there alone, `node` has esbuild make `index.js` and tfx the manifests, `sbom` lists what is inside,
`extension` puts these together, `archive` packs. `contents` alone says what goes in and what stays out.
"""
