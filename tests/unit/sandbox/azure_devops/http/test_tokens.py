from __future__ import annotations

from ecs_cd_sandbox.azure_devops import Identity, Token


def test_a_token_does_not_show_its_secret() -> None:
    assert "ann-pat" not in repr(Token("ann-pat", Identity("Ann Example")))
