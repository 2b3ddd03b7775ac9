"""moto's Parameter Store, saying in its answers by which form of a name something was asked for (`Selector`)."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.responses import SimpleSystemManagerResponse

original_get_parameters = SimpleSystemManagerResponse.get_parameters
"""What moto answers by itself."""


def install() -> None:
    """Make moto answer GetParameters as the API reference describes it, in the whole process. Idempotent."""
    SimpleSystemManagerResponse.get_parameters = _get_parameters  # type: ignore[method-assign]  # moto has no other way


def _get_parameters(self: SimpleSystemManagerResponse) -> ActionResult:
    asked = self._get_param("Names")
    decrypted = self._get_param("WithDecryption")
    known = self.ssm_backend.get_parameters(asked)
    found_parameters: list[dict[str, Any]] = []
    for form in sorted(known):  # "listed in alphabetical order in query responses"
        _, colon, selector = form.rpartition(":") if not form.startswith("arn:") else ("", "", "")
        found = known[form].response_object(decrypted, self.region)
        found_parameters.append(found | {"Selector": f":{selector}"} if colon else found)
    return ActionResult(
        {"Parameters": found_parameters, "InvalidParameters": [form for form in asked if form not in known]}
    )
