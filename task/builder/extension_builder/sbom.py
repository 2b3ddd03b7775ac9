"""The bill of materials, CycloneDX 1.6, of all that the task holds. The same content gives the same bytes."""

from __future__ import annotations

import base64
import json
import re
import uuid
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from extension_builder.python_packages import Distribution

_NOTICE = re.compile(r"(?P<name>\S+) (?P<version>\S+) \((?P<license>.+)\)")
_FOOTER = "/*! This file contains:\n\n"
_LICENSES = LicenseFactory()


def write_sbom(version: str, distributions: tuple[Distribution, ...], npm_packages: tuple[Component, ...]) -> str:
    """Return the bill as JSON: the library's distributions, the crates inside `pydantic_core`, the npm packages."""
    bom = Bom()
    product = _component(ComponentType.APPLICATION, PackageURL("pypi", name="ecs-cd", version=version), "MIT")
    bom.metadata.component = product
    python = [(_from_distribution(each), each.crates) for each in distributions]
    crates = {crate.purl: crate for each in distributions for crate in each.crates}
    bom.components.update([component for component, _ in python], crates.values(), npm_packages)
    bom.register_dependency(product, [*(component for component, _ in python), *npm_packages])
    for component, inside in python:
        bom.register_dependency(component, [crates[crate.purl] for crate in inside])
    bom.metadata.timestamp = None  # type: ignore[assignment]  # CycloneDX allows none, and so does the output
    bom.serial_number = uuid.UUID(int=0)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, _to_json(bom))  # of the content, not a random one
    return _to_json(bom)


def npm_components(index_js: str, lock: str) -> tuple[Component, ...]:
    """Return the npm packages inside `index.js`, by the license notices at its end and the hashes in the lock file.

    Raises:
        ValueError: there are no notices, or a package is not in the lock file.
    """
    _, found, notices = index_js.rpartition(_FOOTER)
    if not found:
        raise ValueError("index.js does not end in the licenses of what it contains.")
    locked = json.loads(lock)["packages"]
    components = []
    for notice in notices.split("\n---\n\n"):
        match = _NOTICE.fullmatch(notice.partition("\n")[0])
        if match is None:
            raise ValueError(f"No license notice: {notice[:60]!r}.")
        components.append(_from_npm(match["name"], match["version"], match["license"], locked))
    return tuple(components)


def _from_npm(name: str, version: str, license_name: str, locked: dict[str, Any]) -> Component:
    entry = locked.get(f"node_modules/{name}", {})
    algorithm, _, digest = str(entry.get("integrity", "")).partition("-")
    if entry.get("version") != version or algorithm != "sha512":
        raise ValueError(f"{name} {version} is not in package-lock.json with its hash.")
    scope, _, base = name.rpartition("/")
    purl = PackageURL("npm", namespace=scope or None, name=base, version=version)
    sha512 = HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())
    return _component(ComponentType.LIBRARY, purl, license_name, sha512)


def _from_distribution(distribution: Distribution) -> Component:
    """Return a distribution; a platform's wheel is told apart from the others of its version by its file name."""
    qualifiers = {"file_name": distribution.file_name} if distribution.native else None
    purl = PackageURL("pypi", name=distribution.name, version=distribution.version, qualifiers=qualifiers)
    sha256 = HashType(alg=HashAlgorithm.SHA_256, content=distribution.sha256)
    return _component(ComponentType.LIBRARY, purl, distribution.license, sha256)


def _component(kind: ComponentType, purl: PackageURL, license_name: str, *hashes: HashType) -> Component:
    return Component(
        type=kind,
        bom_ref=str(purl),
        group=purl.namespace,
        name=purl.name,
        version=purl.version,
        purl=purl,
        hashes=hashes,
        licenses=[_LICENSES.make_from_string(license_name)],
    )


def _to_json(bom: Bom) -> str:
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1) + "\n"
