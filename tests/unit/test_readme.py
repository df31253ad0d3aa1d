"""What the README says of the configuration."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from transaction_service import settings as transaction_settings
from transaction_service.erp_sink.settings import SinkSettings
from transaction_service.publisher.settings import PublisherSettings
from transaction_service.settings import TransactionSettings
from wallet_service.settings import MigrateSettings, WalletSettings

README = Path(__file__).parents[2] / "README.md"
SETTINGS = (
    MigrateSettings,
    WalletSettings,
    transaction_settings.MigrateSettings,
    TransactionSettings,
    PublisherSettings,
    SinkSettings,
)


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_variable_is_described(settings: type[BaseSettings]) -> None:
    """Each variable that a process reads stands in the README's table."""
    missing = {name.upper() for name in settings.model_fields} - described_variables()
    assert missing == set()


def test_no_variable_is_described_that_nobody_reads() -> None:
    """The table does not outlive what it describes."""
    known = {name.upper() for settings in SETTINGS for name in settings.model_fields}
    assert described_variables() - known == set()


def described_variables() -> set[str]:
    """Read the first column of the table below "Configuration"."""
    section = README.read_text().partition("\n## Configuration\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
