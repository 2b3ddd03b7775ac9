from __future__ import annotations

import base64
import json
from typing import Any

import requests

from ecs_cd_sandbox.azure_devops import ServiceEndpoint, StepContext
from tests.support.sandbox_api import Api, Serve
from tests.support.sandbox_pipelines import pipeline

AWS = ServiceEndpoint("11111111-2222-3333-4444-555555555555", "aws-production", "AWS", "https://aws.amazon.com")


def claims(token: str) -> Any:  # noqa: ANN401 - any JSON
    header, body, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "RS256"
    assert signature
    return json.loads(base64.urlsafe_b64decode(body + "=="))


def test_a_job_reaches_the_api_with_a_token_that_ends_with_it(serve: Serve) -> None:
    seen: list[Any] = []

    def call(context: StepContext) -> None:
        bearer = {"Authorization": f"Bearer {context.access.token}"}
        url = f"{context.access.organization_url}/platform/_apis/build/builds/{context.run_id}/tags/mine"
        seen.append(requests.put(f"{url}?api-version=7.1", headers=bearer, timeout=20).status_code)
        seen.append(api.build(context.run_id)["lastChangedBy"]["displayName"])
        seen.append(context.access.token)

    api = serve(pipeline(call))
    run = api.run()
    api.server.wait(run)
    assert seen[:2] == [200, "platform Build Service (sandbox)"]
    assert Api(api.server, seen[2])("GET", "build/builds").status_code == 401


def test_a_running_job_gets_an_oidc_token_that_lives_ten_minutes(serve: Serve) -> None:
    answers: list[requests.Response] = []

    def ask(context: StepContext) -> None:
        for extra in ("", f"&serviceConnectionId={AWS.id}", "&serviceConnectionId=nope"):
            url = f"{context.access.oidc_request_url}?api-version=7.1{extra}"
            bearer = {"Authorization": f"Bearer {context.access.token}"}
            answers.append(requests.post(url, json={}, headers=bearer, timeout=20))
        answers.append(requests.post(url, json={}, auth=("", "ann-pat"), timeout=20))

    api = serve(pipeline(ask), endpoints=[AWS])
    run = api.run()
    assert api.server.wait(run) == "succeeded"
    plain, connected, wrong, person = answers
    body = claims(plain.json()["oidcToken"])
    assert body["sub"] == "p://sandbox/platform/deploy"
    assert body["aud"] == "api://AzureADTokenExchange"
    assert body["iss"].startswith("https://vstoken.dev.azure.com/")
    assert body["exp"] - body["iat"] == 600
    assert (body["run_id"], body["def_id"], body["rpo_ref"]) == (str(run), "12", "refs/heads/main")
    assert claims(connected.json()["oidcToken"])["sub"] == "sc://sandbox/platform/aws-production"
    assert (wrong.status_code, person.status_code) == (400, 401)


def test_a_job_that_is_over_gets_no_oidc_token(serve: Serve) -> None:
    urls: list[str] = []
    token: list[str] = []

    def note(context: StepContext) -> None:
        urls.append(context.access.oidc_request_url)

    def ask(context: StepContext) -> None:
        bearer = {"Authorization": f"Bearer {context.access.token}"}
        token.append(str(requests.post(f"{urls[0]}?api-version=7.1", json={}, headers=bearer, timeout=20).status_code))

    api = serve(pipeline(note), pipeline(ask, id=13, name="later"))
    api.server.wait(api.run(12))
    api.server.wait(api.run(13))
    assert token == ["404"]


def test_service_connections_are_found_by_name_type_and_id(serve: Serve) -> None:
    other = ServiceEndpoint("99999999-2222-3333-4444-555555555555", "registry", "dockerregistry", "https://x.example")
    api = serve(endpoints=[AWS, other])

    def names(**params: str) -> list[str]:
        return [each["name"] for each in api.json("GET", "serviceendpoint/endpoints", params=params)["value"]]

    assert names() == ["aws-production", "registry"]
    assert names(endpointNames="registry,AWS-production", type="aws") == ["aws-production"]
    one = api.json("GET", f"serviceendpoint/endpoints/{AWS.id.upper()}")
    assert (one["name"], one["authorization"]["parameters"]) == ("aws-production", {})
