"""How a process serves gRPC, from the environment."""

from typing import Literal, TypeAlias

from shared.telemetry import TelemetrySettings

Engine: TypeAlias = Literal["grpcio", "native"]
"""What speaks HTTP/2: gRPC's own server, or one in Rust, outside of Python's lock.

The same servicers behave alike on both. `native` has no TLS, and serves reflection by a server of
gRPC's own behind it.
"""


class RpcSettings(TelemetrySettings):
    rpc_engine: Engine = "grpcio"
