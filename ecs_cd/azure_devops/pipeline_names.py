"""What a pipeline is called: by its folder and name in a reference, and in messages."""

from __future__ import annotations

import re

from ecs_cd.errors import WrongInput
from ecs_cd.model.run import Pipeline
from ecs_cd.sanitize import quoted

_NOT_IN_NAMES = re.compile(r'[*?<>|:"/\x00-\x1f\x7f]')
_LONGEST_REFERENCE = 400
"""Characters of a folder path and a name; nothing longer is sent as a filter."""


def describe_pipeline(pipeline: Pipeline) -> str:
    """Return how messages call a pipeline."""
    return f"pipeline {quoted(pipeline.path)} (id {pipeline.id})" if pipeline.name else f"pipeline {pipeline.id}"


def folder_and_name(reference: str) -> tuple[str, str]:
    r"""Return folder (`\` is the root, empty means any) and name.

    Raises:
        WrongInput: the name cannot be one; `*` would find others.
    """
    path, _, name = reference.replace("/", "\\").rpartition("\\")
    folders = [folder for folder in path.split("\\") if folder]
    wrong = [part for part in (*folders, name) if _NOT_IN_NAMES.search(part)]
    if not name.strip() or wrong or len(reference) > _LONGEST_REFERENCE:
        raise WrongInput(
            f"No pipeline can be called {quoted(reference)}.",
            hint="Give a pipeline's id, its name, or its folder and name: `\\team\\my-infrastructure`.",
        )
    has_folder = "\\" in reference or "/" in reference
    return ("\\" + "\\".join(folders) if has_folder else ""), name


def is_called(pipeline: Pipeline, folder: str, name: str) -> bool:
    """Return whether a pipeline has this name, in this folder if one is given; letter case does not matter."""
    in_folder = not folder or pipeline.folder.rstrip("\\").casefold() == folder.rstrip("\\").casefold()
    return in_folder and pipeline.name.casefold() == name.casefold()
