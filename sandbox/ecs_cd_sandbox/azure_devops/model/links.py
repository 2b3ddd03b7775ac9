"""The absolute links in answers, built on the scheme and host the request came to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ecs_cd_sandbox.azure_devops.model.identities import stable_guid


@dataclass(frozen=True)
class Project:
    """The one project of the organization."""

    name: str
    organization: str

    @property
    def id(self) -> str:
        """Its GUID."""
        return stable_guid("project", self.organization, self.name)

    def is_called(self, name: str) -> bool:
        """Say whether a name or GUID means this project."""
        return name.lower() in {self.name.lower(), self.id}


@dataclass(frozen=True)
class Links:
    """Links below `origin` (scheme, host and port)."""

    origin: str
    project: Project

    @property
    def organization(self) -> str:
        """The organization's URL, without a slash at the end."""
        return f"{self.origin}/{quote(self.project.organization)}"

    def api(self, path: str) -> str:
        """Return the link of an API resource of the project."""
        return f"{self.organization}/{self.project.id}/_apis/{path}"

    def web(self, path: str) -> str:
        """Return the link of a page for people."""
        return f"{self.organization}/{self.project.id}/{path}"

    def repository(self, name: str) -> str:
        """Return the address a repository is cloned from."""
        return self.web(f"_git/{name}")

    def build(self, build_id: int, path: str = "") -> str:
        """Return the link of a build or of something below it."""
        return self.api(f"build/Builds/{build_id}{path}")

    def run(self, pipeline_id: int, run_id: int, path: str = "") -> str:
        """Return the link of a run or of something below it."""
        return self.api(f"pipelines/{pipeline_id}/runs/{run_id}{path}")

    def artifact_zip(self, build_id: int, name: str) -> str:
        """Return where an artifact's content is downloaded, with the caller's credentials."""
        query = f"artifactName={quote(name, safe='')}&api-version=7.1&%24format=zip"
        return self.build(build_id, f"/artifacts?{query}")

    def signed(self, key: str) -> str:
        """Return where signed content is downloaded, without credentials."""
        return f"{self.origin}/_signedcontent/{key}"
