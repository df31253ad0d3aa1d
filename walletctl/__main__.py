"""Runs a command, and says in words what went wrong."""

import sys

import click
import grpc
import typer

from walletctl.app import app
from walletctl.failures import EXIT_REFUSED, describe


def main() -> None:
    try:
        code = app(standalone_mode=False)
    except (click.ClickException, typer.TyperException) as error:
        print(f"walletctl: {error.format_message()}", file=sys.stderr)  # noqa: T201 (a command says so)
        code = error.exit_code
    except (click.Abort, typer.Abort):
        print("stopped", file=sys.stderr)  # noqa: T201 (a command says so)
        code = 130
    except grpc.RpcError as error:
        words, code = describe(error)
        print(words, file=sys.stderr)  # noqa: T201 (a command says so)
    except OSError as error:
        print(f"walletctl: {error}", file=sys.stderr)  # noqa: T201 (a command says so)
        code = EXIT_REFUSED
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
