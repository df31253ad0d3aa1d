"""`python -m transaction_service COMMAND`: one command for each process of this image."""

import argparse

from shared import process


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m transaction_service")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the front door")
    commands.add_parser("migrate", help="bring the database to its newest schema")
    commands.add_parser("publish", help="publish the Wallet's committed events to Pub/Sub")
    commands.add_parser("sink", help="write the published events into Firestore, for the ERP")
    {"serve": serve, "migrate": migrate, "publish": publish, "sink": sink}[
        parser.parse_args().command
    ]()


def serve() -> None:
    from transaction_service import app  # noqa: PLC0415 (no command needs the others)

    process.run(app.main)


def migrate() -> None:
    from transaction_service import migrate  # noqa: PLC0415 (no command needs the others)

    process.run(migrate.main)


def publish() -> None:
    from transaction_service.publisher import app  # noqa: PLC0415 (no command needs the others)

    process.run(app.main)


def sink() -> None:
    from transaction_service.erp_sink import app  # noqa: PLC0415 (no command needs the others)

    process.run(app.main)


if __name__ == "__main__":
    main()
