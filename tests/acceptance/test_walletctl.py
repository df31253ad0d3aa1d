"""The operators' tool as a process, on a whole stack."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from devstack.stack import Stack
from tests.acceptance.clients import PRICE_MINOR, new_id
from tests.acceptance.operators import Walletctl

EXAMPLE = Path("examples/price_book.toml")


@pytest.fixture
def walletctl(stack: Stack) -> Walletctl:
    return Walletctl({**os.environ, **stack.environment})


def test_a_story_told_by_commands(walletctl: Walletctl) -> None:
    """Top-ups, lot, booking, commit, cancellation, void; then balances, lots and entries."""
    wallet = walletctl.wallet(5 * PRICE_MINOR)
    walletctl.top_up(wallet, PRICE_MINOR, "--lot", "bonus", "--priority", "5")
    product = ["--product", "API_CALL", "--quantity", "2"]
    assert walletctl.json("actions", "quote", wallet, *product)["sufficient_funds"] is True
    booking = walletctl.json("actions", "book", wallet, *product)["booking_id"]
    walletctl.json("actions", "commit", booking)
    walletctl.json("actions", "cancel", booking)
    used = walletctl.json("actions", "usage", wallet, *product)
    walletctl.json("actions", "void", used["transaction_id"])
    (balance,) = walletctl.json("balances", "get", wallet)
    assert balance["posted_minor"] == balance["available_minor"] == 5 * PRICE_MINOR
    assert walletctl.json("lots", "list", wallet) == []
    kinds = [entry["kind"] for entry in walletctl.json("entries", "list", wallet)]
    assert kinds == ["VOID", "USAGE", "CANCELLATION", "COMMIT", "BOOKING", "TOP_UP", "TOP_UP"]
    found = walletctl.json("entries", "list", wallet, "--kind", "USAGE")
    assert [entry["transaction_id"] for entry in found] == [used["transaction_id"]]


def test_a_statement_adds_up(walletctl: Walletctl) -> None:
    """Opening balance and entries make the closing balance; in a table too."""
    wallet = walletctl.wallet(3 * PRICE_MINOR)
    walletctl.json("actions", "usage", wallet, "--product", "API_CALL", "--quantity", "2")
    asked = ["statements", "print", wallet, "--asset", "IDR", "--from", "2026-01-01", "--to", "now"]
    statement = walletctl.json(*asked)
    changes = [-entry["amount_minor"] for entry in statement["entries"]]
    assert changes == [3 * PRICE_MINOR, -2 * PRICE_MINOR]
    assert statement["opening"]["posted_minor"] == 0
    assert statement["closing"]["posted_minor"] == PRICE_MINOR
    table = walletctl.run("--output", "table", *asked).stdout
    assert "closing balance" in table
    assert f"{PRICE_MINOR:,}" in table


def test_the_books_verify_and_balance(walletctl: Walletctl, tmp_path: Path) -> None:
    """Nothing is off, now and beside the heads saved before; every asset sums to zero."""
    walletctl.wallet(700)
    heads = tmp_path / "heads.json"
    summary = walletctl.json("ledger", "verify", "--save-heads", str(heads))
    assert summary["findings"] == []
    assert summary["transactions"] > 0
    walletctl.wallet(700)
    assert walletctl.json("ledger", "verify", "--known-heads", str(heads))["findings"] == []
    lines = walletctl.json("ledger", "trial-balance")
    assert sum(line["amount_minor"] for line in lines if line["asset_code"] == "IDR") == 0
    assert walletctl.json("ledger", "trial-balance", "--as-of", "2025-01-01") != lines


def test_a_forged_head_fails_the_verification(walletctl: Walletctl, tmp_path: Path) -> None:
    """A head that the chain does not run through is named, and the command fails."""
    walletctl.wallet(700)
    heads = tmp_path / "heads.json"
    walletctl.json("ledger", "verify", "--save-heads", str(heads))
    noted = json.loads(heads.read_text())
    heads.write_text(json.dumps([head | {"hash": "ab" * 32} for head in noted]))
    done = walletctl.run("ledger", "verify", "--known-heads", str(heads))
    assert done.returncode == 1
    findings = json.loads(done.stdout)["findings"]
    assert {finding["table"] for finding in findings} == {"transactions"}


def test_what_cannot_be_taken_back_is_not_done_unasked(walletctl: Walletctl) -> None:
    """Without a terminal `--yes` is needed; a dry run needs nothing and does nothing."""
    wallet = walletctl.wallet()
    done = walletctl.run("wallets", "close", wallet)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    walletctl.json("wallets", "close", wallet, "--dry-run")
    assert walletctl.json("wallets", "get", wallet)["state"] == "ACTIVE"
    assert walletctl.json("wallets", "close", wallet, "--yes")["state"] == "CLOSED"


def test_a_refusal_gives_its_reason_and_figures(walletctl: Walletctl) -> None:
    """Exit code 1, nothing on stdout; reason, figures and the request id to repeat on stderr."""
    wallet = walletctl.wallet(1)
    done = walletctl.run("actions", "usage", wallet, "--product", "API_CALL")
    assert (done.returncode, done.stdout) == (1, "")
    assert "INSUFFICIENT_FUNDS" in done.stderr
    assert "available_minor: 1" in done.stderr
    assert "request id: " in done.stderr


def test_a_repeated_request_id_has_one_effect(walletctl: Walletctl) -> None:
    """The same command with the same id twice moves money once."""
    wallet = walletctl.wallet()
    for _ in range(2):
        walletctl.top_up(wallet, 500, "--request-id", f"operator-{wallet}")
    (balance,) = walletctl.json("balances", "get", wallet)
    assert balance["posted_minor"] == 500


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"WALLET_TARGET": "127.0.0.1:9"}, 3, "is it running?"),
        ({"WALLET_TARGET": ""}, 2, "set WALLET_TARGET"),
    ],
)
def test_a_service_that_is_not_there(
    environment: dict[str, str], code: int, words: str, walletctl: Walletctl
) -> None:
    """Not reachable is exit code 3, not said where is 2; both say what to do."""
    lost = Walletctl({**walletctl.environment, **environment})
    done = lost.run("wallets", "list")
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_period_is_closed_by_command(walletctl: Walletctl) -> None:
    """It is listed afterwards; a time that is none is a usage error."""
    closed = walletctl.json("ledger", "close-period", "--end", "2024-02-01", "--yes")
    assert closed["end_time"] == "2024-02-01T00:00:00Z"
    assert closed in walletctl.json("ledger", "periods")
    assert walletctl.run("ledger", "close-period", "--end", "soon", "--yes").returncode == 2


def test_a_tree_is_built_and_moved_by_command(walletctl: Walletctl, tmp_path: Path) -> None:
    """What `get` shows of a policy can be written back; a wallet moves to the top."""
    limit = {"asset_code": "IDR", "limit_minor": 5, "period": "DAY", "product_code": ""}
    policy = {"funding_source": "OWN", "limits": [limit], "time_zone": "Asia/Jakarta"}
    files = {
        "policy": policy,
        "attributes": {"role": "CHANNEL"},
        "changed": policy | {"limits": []},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    kind = ["--type", "enterprise"]
    top = walletctl.json("wallets", "create", "top", *kind)["wallet_id"]
    options = [f"--{name}={tmp_path / name}" for name in ("policy", "attributes")]
    made = walletctl.json("wallets", "create", "till", *kind, "--parent", top, *options)
    assert (made["policy"], made["attributes"]) == (policy, {"role": "CHANNEL"})
    assert [each["wallet_id"] for each in made["path"]] == [top]
    till, changed = made["wallet_id"], str(tmp_path / "changed")
    walletctl.json("wallets", "update", till, "--version", "1", "--policy", changed)
    assert walletctl.json("wallets", "move", till, "--version", "2", "--parent", "")["path"] == []
    now = walletctl.json("wallets", "get", till)
    assert (now["policy"], now["version"]) == (files["changed"], 3)
    missing = walletctl.run("wallets", "create", "x", "--policy", str(tmp_path / "nowhere"))
    assert missing.returncode == 2


def test_prices_are_published_shown_and_listed(walletctl: Walletctl, tmp_path: Path) -> None:
    """A file is checked, published, repeated, shown and listed; all faults of another are told."""
    file = tmp_path / "book.toml"
    content = EXAMPLE.read_text().replace('version = "2026-11"', 'version = "by hand"')
    file.write_text(f"effective_time = 2099-01-01T00:00:00+07:00\n{content}")
    checked = walletctl.json("prices", "publish", str(file), "--dry-run")
    assert checked == {"version": "by hand", "effective_time": "2098-12-31T17:00:00Z"}
    file.write_text(content)
    published = walletctl.json("prices", "publish", str(file))
    assert walletctl.json("prices", "publish", str(file)) == published
    shown = walletctl.json("prices", "show", "by hand")
    assert shown["products"][3]["price"]["unit_minor"] == PRICE_MINOR
    versions = [each["version"] for each in walletctl.json("prices", "list")]
    assert versions.index("by hand") < versions.index("2026-11")
    file.write_text(content.replace('"FLAT"', '"TIERED"', 2))
    refused = walletctl.run("prices", "publish", str(file))
    assert refused.returncode == 1
    assert "price_book.products[0].price.tiers: must be" in refused.stderr
    assert "price_book.products[0].vendor_cost.cost.unit_minor" in refused.stderr


def test_a_file_of_another_form_is_told_in_full(walletctl: Walletctl, tmp_path: Path) -> None:
    """Words for numbers and unknown names, each with its place."""
    file = tmp_path / "book.toml"
    file.write_text('versoin = "1"\n[[products]]\nproduct_code = 5\n[[taxes]]\nrate = 1\n')
    refused = walletctl.run("prices", "publish", str(file))
    assert refused.returncode == 2
    for place in ("versoin", "products[0]", "taxes[0]"):
        assert f"{file}: {place}" in refused.stderr


def test_a_file_of_actions_is_done_and_may_be_sent_again(
    walletctl: Walletctl, tmp_path: Path
) -> None:
    """Each line is told with its transaction or its reason; a second time nothing moves."""
    wallet = walletctl.wallet()
    usage = {"wallet_id": wallet, "product_code": "API_CALL"}
    top_up = {
        "wallet_id": wallet,
        "amount": {"asset_code": "IDR", "minor_units": 1100 * PRICE_MINOR},
    }
    actions: list[dict[str, Any]] = [
        {"top_up": top_up | {"request_id": new_id()}},
        *({"record_usage": usage | {"request_id": new_id(), "quantity": 1}} for _ in range(1100)),
        {"record_usage": usage | {"request_id": new_id(), "quantity": 9}},
    ]
    file = tmp_path / "actions.jsonl"
    file.write_text("\n".join(map(json.dumps, actions)))
    for _ in range(2):
        done = walletctl.run("actions", "batch", str(file))
        assert done.returncode == 1, done.stderr
        *accepted, refused = json.loads(done.stdout)
        assert len({each["transaction_id"] for each in accepted}) == 1101
        assert (refused["line"], refused["reason"]) == (1102, "INSUFFICIENT_FUNDS")
    (balance,) = walletctl.json("balances", "get", wallet)
    assert balance["posted_minor"] == 0
    together = walletctl.run("actions", "batch", str(file), "--all-or-nothing")
    assert (together.returncode, together.stdout) == (2, "")
    file.write_text("no JSON")
    broken = walletctl.run("actions", "batch", str(file))
    assert broken.returncode == 2
    assert "line 1" in broken.stderr


def test_the_front_door_is_timed_and_nothing_is_booked(walletctl: Walletctl) -> None:
    """Accepted calls are counted and timed; the balance is as it was."""
    wallets = [walletctl.wallet(PRICE_MINOR) for _ in range(2)]
    asked = ["bench", *wallets, "--product", "API_CALL", "--seconds", "0.5", "--in-flight", "4"]
    told = walletctl.json(*asked)
    assert told["accepted"] >= 4
    assert 0 < told["p50_ms"] <= told["p95_ms"] <= told["p99_ms"]
    assert told["refused"] == {}
    for wallet in wallets:
        (balance,) = walletctl.json("balances", "get", wallet)
        assert balance["posted_minor"] == balance["available_minor"] == PRICE_MINOR


def test_what_is_refused_while_timed_is_counted_by_reason(walletctl: Walletctl) -> None:
    """A wallet without funds accepts nothing: exit 1, and the reason."""
    asked = ["bench", walletctl.wallet(), "--product", "API_CALL", "--seconds", "0.1"]
    done = walletctl.run(*asked)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["accepted"] == 0
    assert told["refused"].keys() == {"INSUFFICIENT_FUNDS"}


def test_a_front_door_that_is_not_there_is_not_timed(walletctl: Walletctl) -> None:
    """It ends at once, not reachable, and shows no figures."""
    lost = Walletctl({**walletctl.environment, "TRANSACTION_TARGET": "127.0.0.1:1"})
    done = lost.run("bench", "wal_1001", "--product", "API_CALL", "--seconds", "3600")
    assert (done.returncode, done.stdout) == (3, "")


def test_databases_are_migrated_by_command(walletctl: Walletctl) -> None:
    """Each service looks after its own database; where nothing is to do, its role may ask."""
    done = walletctl.run("migrate")
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(each["service"], each["event"], each["applied"]) for each in said] == [
        ("wallet", "up to date", 0),
        ("transaction", "up to date", 0),
    ]


def test_a_database_that_is_not_named_is_not_migrated(walletctl: Walletctl) -> None:
    """Without a database there is nothing to do: exit 2, and what to set."""
    names = ("WALLET_DATABASE_URL", "TRANSACTION_DATABASE_URL")
    environment = {k: v for k, v in walletctl.environment.items() if k not in names}
    done = Walletctl(environment).run("migrate")
    assert done.returncode == 2
    assert "set WALLET_DATABASE_URL or TRANSACTION_DATABASE_URL" in done.stderr
