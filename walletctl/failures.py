"""What a failed call means to an operator."""

from typing import cast

import grpc

EXIT_REFUSED = 1
EXIT_UNREACHABLE = 3

_HINTS = {
    grpc.StatusCode.UNAVAILABLE: "is it running? try again with the same --request-id",
    grpc.StatusCode.DEADLINE_EXCEEDED: "the outcome is open: repeat it with the same --request-id",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "it is busy: try again with the same --request-id",
    grpc.StatusCode.ABORTED: "somebody else was faster: look again, then repeat",
    grpc.StatusCode.ALREADY_EXISTS: "that request id did something else: take another one",
    grpc.StatusCode.UNIMPLEMENTED: "the service is older than this tool",
}
UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def describe(error: grpc.RpcError) -> tuple[str, int]:
    """Answer words for a failed call, and the exit code: 1 refused, 3 not reachable."""
    from shared.errors import InvalidArgument  # noqa: PLC0415
    from shared.rpc_client import error_of  # noqa: PLC0415 (needed by failures only)

    failed = cast(grpc.Call, error)  # It always is one; its type does not say so.
    code = failed.code()
    told = error_of(failed, "SERVICE")
    words = f"walletctl: {told.reason}: {told.message}"
    if isinstance(told, InvalidArgument) and len(told.violations) > 1:
        lines = [f"\n  {each.field}: {each.description}" for each in told.violations]
        words = f"walletctl: {told.reason}:{''.join(lines)}"
    for name, value in sorted(told.metadata.items()):
        words += f"\n  {name}: {value}"
    if hint := _HINTS.get(code):
        words += f"\n  {hint}"
    return words, EXIT_UNREACHABLE if code in UNREACHABLE else EXIT_REFUSED
