from __future__ import annotations

import json

import pytest

from ecs_cd.azure_devops.error_response import read_error_response

VALIDATION = {
    "message": "There were validation errors.",
    "typeKey": "BuildRequestValidationFailedException",
    "customProperties": {"ValidationResults": [{"result": "error", "message": "No such branch."}, "?"]},
}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "No.", "typeKey": "X"}, "No."),
        ({"count": 1, "value": {"Message": "An error has occurred."}}, "An error has occurred."),
        (VALIDATION, "There were validation errors.\nNo such branch."),
        ({"message": 7, "customProperties": []}, ""),
        (["message"], ""),
        (None, ""),
    ],
)
def test_hears_what_is_said_in_every_form_of_an_error(body: object, said: str) -> None:
    for mark in ("", "\ufeff"):
        text = mark + json.dumps(body)
        assert read_error_response(400, {"Content-Type": "application/json"}, text, 0.0).message == said


def test_hears_what_is_said_outside_of_json() -> None:
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    assert (
        read_error_response(404, plain, "The controller was not found.", 0.0).message == "The controller was not found."
    )
    assert read_error_response(500, {"X-TFS-ServiceError": "It%20is+down"}, "", 0.0).message == "It is down"


def test_a_page_for_people_says_nothing() -> None:
    response = read_error_response(500, {"Content-Type": "application/json"}, "\ufeff <!DOCTYPE html><p>secret", 0.0)
    assert response.html
    assert response.message == ""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "<!DOCTYPE html><head><title>\n VS403463: The policy of your &quot;administrator&quot; failed.",
            'VS403463: The policy of your "administrator" failed.',
        ),
        ("<html><title>Azure DevOps Services | Sign In</title>", ""),
        ("<html><title>TF400813", ""),
    ],
)
def test_a_page_whose_title_is_a_numbered_message_says_it(page: str, said: str) -> None:
    response = read_error_response(403, {"Content-Type": "text/html"}, page, 0.0)
    assert response.html
    assert response.message == said
