"""What is shown of an address."""

from __future__ import annotations

import pytest

from harness.sinks import credentials


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://localhost:5000", "http://localhost:5000"),
        ("https://ann:se%40cret@host/ml", "https://host/ml"),
        ("https://ann:s@c/ret@host/ml", "https://host/ml"),
        (
            "postgresql+psycopg2://ann:secret@host/db?password=secret",
            "postgresql+psycopg2://host/db",
        ),
        ("sqlite:////home/ann@work/mlflow.db", "sqlite:////home/ann@work/mlflow.db"),
        ("mlruns", "mlruns"),
    ],
)
def test_an_address_is_shown_without_credentials(uri: str, expected: str):
    """The place stays, names and passwords go, also those that were not escaped."""
    assert expected == credentials.shown(uri)


def test_a_command_is_kept_without_credentials():
    """Both spellings of the option, and addresses anywhere else; the words beside them stay."""
    words = [
        "compare",
        "--backends",
        "torch@mine",
        "--mlflow",
        "http://ann:s@cret@host",
        "--mlflow=http://ann:s/cret@host",
        "x=ftp://a:b@c/d",
    ]
    expected = [
        "compare",
        "--backends",
        "torch@mine",
        "--mlflow",
        "http://host",
        "--mlflow=http://host",
        "x=ftp://c/d",
    ]
    assert expected == credentials.without(words)


def test_a_message_that_quotes_the_address_is_cleaned():
    """Whatever a library says: the address given, and any other; a requirement with a revision
    is none."""
    uri = "http://ann:s/cret@host:5000/"
    text = (
        f"API request to {uri.rstrip('/')}/api failed; see postgresql://bob:pw@db/x and"
        " git+https://host/a@v1"
    )
    assert (
        "API request to http://host:5000/api failed; see postgresql://db/x and"
        " git+https://host/a@v1" == credentials.hidden(text, uri)
    )


def test_other_secrets_of_a_command_are_kept():
    """What is no address is not known for a secret: SECURITY.md says so."""
    words = ["run", "--data", "/cohort/token=s3cret", "--preset", "hunter2"]
    assert words == credentials.without(words)
