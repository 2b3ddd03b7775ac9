"""Read `ecs-cd.yml` as plain data, remembering where each key and value stands.

Every scalar stays the text that was written (only an empty one and `null` are None): an account id keeps its zeros, a
branch called `on` is no switch, a version 1.10 is no number. What a text is read as, the settings decide.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from ecs_cd.errors import SettingsError
from ecs_cd.sanitize import quoted, single_line
from ecs_cd.settings.document import Document, Location

MOST_BYTES = 256 * 1024
MOST_NODES = 20_000
MOST_DEPTH = 12

_STR, _NULL, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "null", "merge"))
_KNOWN_TAGS = {_STR, _NULL, _MERGE, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class _TextLoader(yaml.SafeLoader):
    """A loader that takes every plain scalar but null and the merge key for text."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag in (_NULL, _MERGE)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path) -> Document:
    """Return what the file holds; duplicate keys and the like are in `problems`.

    Raises:
        SettingsError: it cannot be read, is too large, or is not YAML.
    """
    document = Document(path)
    text = _content(path)
    try:
        node = yaml.compose(text, _TextLoader)
        whole = _Conversion(document).value(node, (), 0) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        problem = single_line(error.problem or error.context or "a mistake")
        raise SettingsError(f"{single_line(str(path))}{where}: not YAML: {problem}.") from None
    except yaml.YAMLError:  # a character that YAML does not allow
        raise SettingsError(
            f"{single_line(str(path))}: not YAML: it has a character that may not be in a text."
        ) from None
    except RecursionError:
        raise SettingsError(f"{single_line(str(path))}: nested too deeply.") from None
    if whole is not None and not isinstance(whole, dict):
        raise SettingsError(f"{document.place(())}: the settings must be keys and values, such as `services:`.")
    document.data = whole or {}
    return document


def _content(path: Path) -> str:
    shown = single_line(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no such name"
        raise SettingsError(f"Cannot read the settings file '{shown}': {why}.") from None
    if len(data) > MOST_BYTES:
        raise SettingsError(f"The settings file '{shown}' is larger than {MOST_BYTES // 1024} KiB.")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file '{shown}' is not UTF-8 text.") from None


class _Conversion:
    """Turn nodes into data. Aliases are written out, as far as a settings file can need."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def value(self, node: yaml.Node, location: Location, depth: int) -> object:
        self._count(depth)
        self._document.values[location] = _mark(node)
        if node.tag not in _KNOWN_TAGS:
            self._problem(node, f"the tag {quoted(node.tag)} has no meaning here; remove it.")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, str(i)), depth + 1) for i, item in enumerate(node.value)]
        return None if node.tag == _NULL else str(node.value)

    def _mapping(self, node: yaml.MappingNode, location: Location, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, (key, value) in self._pairs(node, depth).items():
            here = (*location, name)
            self._document.keys[here] = _mark(key)
            found[name] = self.value(value, here, depth + 1)
        return found

    def _pairs(self, node: yaml.MappingNode, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Return a mapping's keys and values; after its own those that `<<` brings in, the first of which count."""
        self._count(depth)
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._problem(key, "a key must be a name.")
            elif key.value in pairs:
                line, _ = _mark(pairs[key.value][0])
                self._problem(key, f"the key {quoted(key.value)} is already on line {line}; remove one of them.")
            else:
                pairs[key.value] = key, value
        for source in merged:
            if isinstance(source, yaml.MappingNode):
                pairs = self._pairs(source, depth + 1) | pairs
            else:
                self._problem(source, "`<<` needs the alias of a mapping.")
        return pairs

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > MOST_DEPTH:
            raise SettingsError(
                f"{single_line(str(self._document.path))}: too large or too deep once its aliases are written out."
            )

    def _problem(self, node: yaml.Node, sentence: str) -> None:
        problem = self._document.problem_at(_mark(node), sentence)
        if problem not in self._document.problems:  # an alias is walked through again and again
            self._document.problems.append(problem)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
