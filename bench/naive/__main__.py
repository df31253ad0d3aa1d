"""`python -m bench.naive front LISTEN WALLET REDIS_URL`, `… wallet LISTEN DATABASE_URL`."""

import sys

import uvloop

from bench.naive import front, wallet


def main() -> None:
    match sys.argv[1:]:
        case ["front", listen, wallet_target, redis_url]:
            uvloop.run(front.serve(listen, wallet_target, redis_url))
        case ["wallet", listen, database_url]:
            uvloop.run(wallet.serve(listen, database_url))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
