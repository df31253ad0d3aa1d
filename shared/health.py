"""What a process says of itself and of its dependencies, by gRPC's standard health service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from grpc_health.v1 import health, health_pb2

Probe = Callable[[], Awaitable[object]]

_log = structlog.get_logger()


class Health:
    """Keeps the standard health service true, for the whole process and each dependency.

    `HealthCheckRequest.service` takes a dependency's name (`postgres`), a gRPC service's full
    name, or nothing for the process as a whole, which serves while every dependency in
    `required` does.
    """

    INTERVAL_S = 2.0
    STARTING_INTERVAL_S = 0.2
    PROBE_TIMEOUT_S = 2.0

    def __init__(self, probes: Mapping[str, Probe], required: Sequence[str]) -> None:
        self.servicer = health.aio.HealthServicer()
        self._probes = probes
        self._required = required

    async def watch(self, service_names: Sequence[str]) -> None:
        """Probe until cancelled; often, until everything required answered for the first time."""
        interval_s = self.STARTING_INTERVAL_S
        while True:
            if await self.check_once(service_names):
                interval_s = self.INTERVAL_S
            await asyncio.sleep(interval_s)

    async def check_once(self, service_names: Sequence[str]) -> bool:
        """Probe everything, tell who asks, and answer whether the process serves."""
        alive = dict(
            zip(
                self._probes,
                await asyncio.gather(*map(self._answers, self._probes.values())),
                strict=True,
            )
        )
        for name, answers in alive.items():
            await self.servicer.set(name, _serving(answers))
        whole = all(alive[name] for name in self._required)
        for name in ("", *service_names):
            await self.servicer.set(name, _serving(whole))
        return whole

    async def _answers(self, probe: Probe) -> bool:
        try:
            async with asyncio.timeout(self.PROBE_TIMEOUT_S):
                await probe()
        except Exception as error:  # noqa: BLE001 (any failure means: does not serve)
            _log.warning("dependency does not answer", error=repr(error))
            return False
        return True


def _serving(answers: bool) -> health_pb2.HealthCheckResponse.ServingStatus:  # noqa: FBT001
    status = health_pb2.HealthCheckResponse
    return status.SERVING if answers else status.NOT_SERVING
