"""`walletctl migrate`: each service brings its own database up to date."""

import importlib.util
import os
import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import click
import typer

from walletctl.failures import EXIT_REFUSED


class Service(StrEnum):
    WALLET = "wallet"
    TRANSACTION = "transaction"

    @property
    def variable(self) -> str:
        return f"{self.upper()}_DATABASE_URL"

    @property
    def package(self) -> str:
        return f"{self}_service"


def migrate(
    services: Annotated[
        list[Service] | None, typer.Argument(help="Both whose database is named, if not given.")
    ] = None,
) -> None:
    """Bring the services' databases to their newest schemas; they say what they applied.

    WALLET_DATABASE_URL and TRANSACTION_DATABASE_URL name them, with the databases' owner where
    there is something to apply. Works where the services are installed beside this tool.
    """
    asked = services or [each for each in Service if os.environ.get(each.variable)]
    if not asked:
        names = " or ".join(each.variable for each in Service)
        raise click.UsageError(f"which database? set {names}")
    failed = [each for each in asked if not _migrated(each)]
    if failed:
        raise typer.Exit(EXIT_REFUSED)


def _migrated(service: Service) -> bool:
    if importlib.util.find_spec(service.package) is None:
        raise click.UsageError(
            f"{service.package} is not installed here: where it is, run "
            f"`python -m {service.package} migrate`"
        )
    command = sys.executable, "-m", service.package, "migrate"
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 (our own program)
