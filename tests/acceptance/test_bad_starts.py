"""Processes that cannot start: each says why, and what to do, in words and not in a traceback."""

import os
import subprocess
import sys

import pytest

from devstack.backing import Backing

LIMIT_S = 30
NOBODY = "127.0.0.1:1"
GONE = f"postgresql://postgres@{NOBODY}/wallet"

BAD_STARTS = [
    ("wallet_service serve", {"WALLET_DATABASE_URL": "mysql://here"}, "WALLET_DATABASE_URL"),
    ("wallet_service serve", {"WALLET_DATABASE_URL": GONE}, "does not let us in"),
    ("wallet_service migrate", {"WALLET_DATABASE_URL": GONE}, "does not let us in"),
    ("transaction_service serve", {"WALLET_TARGET": NOBODY}, "REDIS_URL"),
    ("transaction_service migrate", {"TRANSACTION_DATABASE_URL": GONE}, "does not let us in"),
    ("transaction_service publish", {"WALLET_TARGET": NOBODY}, "GOOGLE_CLOUD_PROJECT"),
    (
        "transaction_service publish",
        {
            "WALLET_TARGET": NOBODY,
            "GOOGLE_CLOUD_PROJECT": "test",
            "CHART_OF_ACCOUNTS_FILE": "pyproject.toml",
        },
        "chart of accounts pyproject.toml: accounts: Field required",
    ),
    ("transaction_service sink", {"SINK_LISTEN": "nowhere"}, "SINK_LISTEN"),
    (
        "transaction_service sink",
        {"FIRESTORE_COLLECTION": "__finance__"},
        "FIRESTORE_COLLECTION: Value error, Firestore keeps such names for itself",
    ),
    (
        "transaction_service sink",
        {"GOOGLE_CLOUD_PROJECT": "test", "CHART_OF_ACCOUNTS_FILE": "pyproject.toml"},
        "chart of accounts pyproject.toml: accounts: Field required",
    ),
]


def start(module: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    name, command = module.split()
    return subprocess.run(
        (sys.executable, "-m", name, command),
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


@pytest.mark.parametrize(("module", "environment", "words"), BAD_STARTS)
def test_a_bad_start_is_told_in_words(module: str, environment: dict[str, str], words: str) -> None:
    """The process ends at once, non-zero, and names what is wrong."""
    ended = start(module, environment)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_without_a_schema_is_told_how_to_get_one(backing: Backing) -> None:
    """Who forgot the migrations is told of them."""
    url = backing.postgres_url("postgres", "postgres")
    ended = start("wallet_service serve", {"WALLET_DATABASE_URL": url})
    assert ended.returncode != 0
    assert "python -m wallet_service migrate" in ended.stderr
    environment = {
        "TRANSACTION_DATABASE_URL": url,
        "WALLET_TARGET": NOBODY,
        "REDIS_URL": f"redis://{NOBODY}",
    }
    ended = start("transaction_service serve", environment)
    assert ended.returncode != 0
    assert "python -m transaction_service migrate" in ended.stderr
