"""`python -m wallet_service serve | migrate`."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(prog="wallet_service", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate"])
    command = parser.parse_args().command

    from shared.process import run  # noqa: PLC0415 (after the arguments are known to be right)
    from wallet_service import app, migrate  # noqa: PLC0415

    run({"serve": app.main, "migrate": migrate.main}[command])


if __name__ == "__main__":
    main()
