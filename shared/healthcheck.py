"""Asks a server of ours whether it serves: `python -m shared.healthcheck host:port`.

Containers call it: it exits 0 if the server serves, else 1 and says why on stderr.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 3.0


def fault_of(target: str) -> str | None:
    """Say what is wrong with the server at `target`, or None if it serves."""
    with grpc.insecure_channel(target) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        try:
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            return str(error)
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return None
    return f"{target} answers {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"


if __name__ == "__main__":
    sys.exit(fault_of(sys.argv[1]))
