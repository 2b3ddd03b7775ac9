from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
import requests

from ecs_cd_sandbox.azure_devops import READ, Identity, Parameter, Token
from ecs_cd_sandbox.azure_devops.http.security_routes import BUILD_NAMESPACE
from tests.support.sandbox_api import ANN_TOKEN, BOB_TOKEN, Api, Serve
from tests.support.sandbox_pipelines import BOB, BlockingStep, nothing, pipeline


def get(api: Api, **headers: str) -> requests.Response:
    return requests.get(
        f"{api.server.url}/platform/_apis/build/builds?api-version=7.1",
        headers=headers,
        allow_redirects=False,
        timeout=20,
    )


def basic(secret: str, user: str = "") -> str:
    return f"Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"


def test_a_personal_access_token_is_sent_with_basic_under_any_user_name(serve: Serve) -> None:
    api = serve()
    assert get(api, Authorization=basic(ANN_TOKEN.secret)).status_code == 200
    assert get(api, Authorization=basic(ANN_TOKEN.secret, "anybody")).status_code == 200


def test_a_job_token_is_sent_as_bearer_and_a_personal_one_is_not(serve: Serve) -> None:
    api = serve(tokens=[Token("job-token", BOB, kind="job")])
    assert get(api, Authorization="Bearer job-token").status_code == 200
    assert get(api, Authorization=f"Bearer {ANN_TOKEN.secret}").status_code == 302


def test_without_credentials_the_answer_is_401_without_a_body(serve: Serve) -> None:
    response = get(serve())
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize("header", [basic("wrong"), "Bearer wrong", "Basic ###", "Digest x"])
def test_wrong_credentials_are_redirected_to_a_sign_in_page(serve: Serve, header: str) -> None:
    response = get(serve(), Authorization=header)
    assert response.status_code == 302
    assert response.headers["content-type"].startswith("text/html")
    assert "/_signin?realm=" in response.headers["Location"]
    page = requests.get(response.headers["Location"], timeout=20)
    assert (page.status_code, page.headers["content-type"]) == (203, "text/html; charset=utf-8")
    assert "Azure DevOps Services | Sign In" in page.text


def test_a_client_that_wants_no_redirect_gets_401(serve: Serve) -> None:
    response = get(serve(), Authorization=basic("wrong"), **{"X-TFS-FedAuthRedirect": "Suppress"})
    assert response.status_code == 401


def test_an_expired_token_is_a_wrong_one(serve: Serve) -> None:
    api = serve(tokens=[Token("old", BOB, expired=True)])
    assert get(api, Authorization=basic("old")).status_code == 302


def test_a_token_can_be_revoked_and_replaced_while_the_server_runs(serve: Serve) -> None:
    api = serve()
    api.server.tokens.revoke(ANN_TOKEN.secret)
    assert api("GET", "build/builds").status_code == 401
    api.server.tokens.add(ANN_TOKEN)
    assert api("GET", "build/builds").status_code == 200


def test_reading_needs_the_read_scope_and_changing_the_execute_scope(serve: Serve) -> None:
    reader = Token("reader", Identity("Reader"), scopes=frozenset({READ}))
    stranger = Token("stranger", Identity("Stranger"), scopes=frozenset())
    api = serve(pipeline(), tokens=[reader, stranger])
    assert Api(api.server, "reader")("GET", "build/builds").status_code == 200
    assert Api(api.server, "reader")("POST", "pipelines/12/preview", json={}).status_code == 200
    for secret, method, path in (
        ("reader", "POST", "pipelines/12/runs"),
        ("reader", "PUT", "build/builds/1/tags/x"),
        ("stranger", "GET", "build/builds"),
    ):
        response = Api(api.server, secret)(method, path, json={})
        assert (response.status_code, response.json()["typeKey"]) == (401, "UnauthorizedRequestException")
        assert response.json()["message"].startswith("TF400813: The user '")


def test_who_may_not_queue_is_told_the_permission_and_the_pipeline(serve: Serve) -> None:
    api = serve(pipeline(), pipeline(id=13, name="other"), tokens=[replace(BOB_TOKEN, may_queue=frozenset({"other"}))])
    bob = Api(api.server, BOB_TOKEN.secret)
    for path, body in (("pipelines/12/runs", {}), ("build/builds", {"definition": {"id": 12}})):
        response = bob("POST", path, json=body)
        assert (response.status_code, response.json()["typeKey"]) == (403, "AccessDeniedException")
        assert response.json()["message"] == (
            "TF215106: Access denied. Bob Example needs Queue builds permissions for build pipeline "
            f"12:{pipeline().name} in team project platform to perform the action. For more information, contact the "
            "Azure DevOps administrator."
        )
    assert bob("POST", "pipelines/13/runs", json={}).status_code == 200


def test_who_may_not_stop_builds_cannot_cancel(serve: Serve) -> None:
    gate = BlockingStep()
    api = serve(pipeline(gate), tokens=[replace(BOB_TOKEN, may_stop=False)])
    run = api.run()
    gate.wait_started()
    bob = Api(api.server, BOB_TOKEN.secret)
    for path, body in (("", {"status": "cancelling"}), ("/stages/Apply", {"state": "cancel"})):
        response = bob("PATCH", f"build/builds/{run}{path}", json=body)
        assert response.status_code == 403
        assert "needs Stop builds permissions" in response.json()["message"]
    assert api.build(run)["status"] == "inProgress"


def test_who_may_not_edit_the_quality_of_builds_cannot_tag(serve: Serve) -> None:
    api = serve(pipeline(nothing), tokens=[replace(BOB_TOKEN, may_tag=False)])
    run = api.run()
    response = Api(api.server, BOB_TOKEN.secret)("PUT", f"build/builds/{run}/tags/x")
    assert response.status_code == 403
    assert f"needs Edit build quality permissions for vstfs:///Build/Build/{run} in" in response.json()["message"]


def test_who_may_not_update_builds_cannot_change_their_properties(serve: Serve) -> None:
    api = serve(pipeline(nothing), tokens=[replace(BOB_TOKEN, may_update=False)])
    bob = Api(api.server, BOB_TOKEN.secret)
    run = api.run()
    response = bob(
        "PATCH",
        f"build/builds/{run}/properties",
        json=[{"op": "add", "path": "/a", "value": "b"}],
        headers={"Content-Type": "application/json-patch+json"},
    )
    assert response.status_code == 403
    assert "needs Update build information permissions for build pipeline" in response.json()["message"]
    assert bob("PUT", f"build/builds/{run}/tags/x").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"templateParameters": {"text": "x"}}, 403),
        ({"templateParameters": {"TEXT": "x"}}, 403),
        ({"variables": {"tag": {"value": "x"}}}, 403),
        ({"templateParameters": {"choice": "b", "loud": "true"}}, 200),
        ({}, 200),
    ],
)
def test_variables_and_free_text_take_the_right_to_edit_the_configuration(
    serve: Serve, body: dict[str, Any], status: int
) -> None:
    parameters = {
        "text": Parameter("a"),
        "choice": Parameter("a", values=("a", "b")),
        "loud": Parameter("false", closed=True),
    }
    api = serve(
        pipeline(parameters=parameters, settable_variables=frozenset({"tag"})),
        tokens=[replace(BOB_TOKEN, may_configure=False)],
    )
    response = Api(api.server, BOB_TOKEN.secret)("POST", "pipelines/12/runs", json=body)
    assert response.status_code == status
    if status == 403:
        assert "Bob Example needs Edit queue build configuration permissions for" in response.json()["message"]
        assert api.ids() == []


def test_a_token_cannot_queue_a_pipeline_whose_repository_it_may_not_read(serve: Serve) -> None:
    api = serve(pipeline(), tokens=[replace(BOB_TOKEN, repositories=frozenset({"another"}))])
    response = Api(api.server, BOB_TOKEN.secret)("POST", "pipelines/12/runs", json={})
    assert response.status_code == 400
    assert "could not be retrieved" in response.json()["message"]
    assert api.ids() == []


def test_permissions_are_evaluated_for_the_caller_and_each_security_token(serve: Serve) -> None:
    api = serve(
        pipeline(folder="\\infra\\aws"),
        pipeline(id=13, name="other"),
        tokens=[replace(BOB_TOKEN, may_queue=frozenset({"other"}), may_stop=False)],
    )
    project = api.json("GET", "build/definitions/12")["project"]["id"]
    tokens = [f"{project}/infra/aws/12", f"{project}/13", f"{project}/12", "elsewhere/13"]
    path = f"_apis/permissions/{BUILD_NAMESPACE}"

    def evaluated(client: Api, bits: int, delimiter: str = ",") -> list[bool]:
        response = requests.get(
            f"{api.server.url}/{path}/{bits}",
            params={"tokens": delimiter.join(tokens), "delimiter": delimiter, "api-version": "7.1-preview.2"},
            auth=("", client.secret),
            timeout=20,
        )
        return list(response.json()["value"])

    bob = Api(api.server, BOB_TOKEN.secret)
    assert evaluated(api, 128) == [True, True, True, False]
    assert evaluated(bob, 128, "|") == [False, True, False, False]
    assert evaluated(bob, 512) == [False] * 4
    assert evaluated(bob, 1) == [True, True, True, False]


def test_an_unknown_security_namespace_is_not_found(serve: Serve) -> None:
    api = serve()
    url = f"{api.server.url}/_apis/permissions/00000000-0000-0000-0000-000000000000/128?api-version=7.1"
    assert requests.get(url, auth=("", api.secret), timeout=20).status_code == 404
