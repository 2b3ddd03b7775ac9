"""What connecting does, and leaves alone."""

from __future__ import annotations

import warnings

from ecs_cd.azure_devops import AzureDevOpsSettings, connect
from tests.fakes import FakeClock


def test_the_sdk_is_not_heard_to_complain_of_what_it_does_not_need() -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        connect(AzureDevOpsSettings("https://dev.azure.com/acme", "platform", pat="x"), FakeClock())
        warnings.warn("SOCKS support in urllib3 requires the installation of PySocks.", stacklevel=1)
        warnings.warn("Something else.", stacklevel=1)
    assert [str(one.message) for one in heard] == ["Something else."]
