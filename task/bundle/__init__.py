"""Builds the extension `dist/ecs-cd-<version>.vsix`: what `make vsix` runs. The same inputs give the same bytes.

`wheels` fetches the pinned dependencies, `library` unpacks and prunes them beside `ecs_cd`, `proof` imports all of it
from there alone, `sbom` lists it, `extension` adds the task's Node side and the manifest, `archive` packs. What goes in
and what stays out is said in `contents`, nowhere else.
"""
