"""The bill of materials, CycloneDX 1.6; without time or serial number: the same inputs give the same bytes."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import quote

from task.bundle.library import Distribution

Component = dict[str, Any]

_NOTICE = re.compile(r"(?P<name>\S+) (?P<version>\S+) \((?P<licence>.+)\)")
_FOOTER = "/*! This file contains:\n\n"


def bill(version: str, distributions: tuple[Distribution, ...], packages: tuple[Component, ...]) -> str:
    """Return the bill as JSON: the library's distributions, the crates inside `pydantic_core`, the npm packages."""
    crates = {crate["purl"]: _crate(crate) for told in distributions for crate in told.crates}
    python = [_distribution(told) for told in distributions]
    components = sorted([*python, *crates.values(), *packages], key=lambda component: str(component["bom-ref"]))
    root = f"pkg:pypi/ecs-cd@{version}"
    return _json(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "application",
                    "bom-ref": root,
                    "name": "ecs-cd",
                    "version": version,
                    "purl": root,
                    "licenses": [{"expression": "MIT"}],
                }
            },
            "components": components,
            "dependencies": _dependencies(root, distributions, packages),
        }
    )


def npm_packages(index_js: str, lock: str) -> tuple[Component, ...]:
    """Return the npm packages inside `index.js`, by the licence notices at its end and the hashes in the lock file.

    Raises:
        ValueError: there are no notices, or a package is not in the lock file.
    """
    _, found, notices = index_js.rpartition(_FOOTER)
    if not found:
        raise ValueError("index.js does not end in the licences of what it contains.")
    locked = json.loads(lock)["packages"]
    packages = []
    for notice in notices.split("\n---\n\n"):
        told = _NOTICE.fullmatch(notice.partition("\n")[0])
        if told is None:
            raise ValueError(f"No licence notice: {notice[:60]!r}.")
        packages.append(_package(told["name"], told["version"], told["licence"], locked))
    return tuple(packages)


def _package(name: str, version: str, licence: str, locked: dict[str, Any]) -> Component:
    entry = locked.get(f"node_modules/{name}", {})
    algorithm, _, digest = str(entry.get("integrity", "")).partition("-")
    if entry.get("version") != version or algorithm != "sha512":
        raise ValueError(f"{name} {version} is not in package-lock.json with its hash.")
    purl = f"pkg:npm/{quote(name)}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}],
        "licenses": [{"expression": licence}],
    }


def _distribution(told: Distribution) -> Component:
    named = {"expression": told.licence} if told.expression else {"license": {"name": told.licence}}
    return {
        "type": "library",
        "bom-ref": _purl(told),
        "name": told.name,
        "version": told.version,
        "purl": _purl(told),
        "hashes": [{"alg": "SHA-256", "content": told.sha256}],
        "licenses": [named],
    }


def _purl(told: Distribution) -> str:
    purl = f"pkg:pypi/{told.name}@{told.version}"
    return f"{purl}?file_name={quote(told.file_name)}" if told.native else purl


def _crate(told: dict[str, Any]) -> Component:
    kept = ("type", "name", "version", "purl", "hashes", "licenses")
    return {"bom-ref": told["purl"], **{key: told[key] for key in kept if key in told}}


def _dependencies(
    root: str, distributions: tuple[Distribution, ...], packages: tuple[Component, ...]
) -> list[dict[str, Any]]:
    direct = sorted([*map(_purl, distributions), *(str(package["bom-ref"]) for package in packages)])
    inside = [
        {"ref": _purl(told), "dependsOn": sorted({str(crate["purl"]) for crate in told.crates})}
        for told in distributions
        if told.crates
    ]
    return [{"ref": root, "dependsOn": direct}, *sorted(inside, key=lambda entry: str(entry["ref"]))]


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
