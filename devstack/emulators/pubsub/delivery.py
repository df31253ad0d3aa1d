"""What a backlog is made of: rules, lanes, messages, leases, and the consumers who hold them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from devstack.emulators.pubsub.wire import Wire


@dataclass(frozen=True, slots=True)
class Rules:
    """What the subscription's owner asked for."""

    ordered: bool = False
    minimum_backoff_s: float = 0.0
    maximum_backoff_s: float = 0.0
    max_delivery_attempts: int = 0  # 0: no message is ever given up.
    retain_acknowledged: bool = False

    def backoff_s(self, failures: int) -> float:
        """Say how long a message rests that has failed so many times."""
        if failures == 0:
            return 0.0
        doubled = self.minimum_backoff_s * 2.0 ** min(failures - 1, 20)
        return min(self.maximum_backoff_s, doubled)

    def gives_up(self, failures: int) -> bool:
        return 0 < self.max_delivery_attempts <= failures


@dataclass(slots=True, eq=False)
class Consumer:
    """Who takes messages, a stream or a single pull, and how much it has not settled yet.

    It gets no more while it has `max_messages` or `max_bytes` outstanding; 0 means no limit.
    """

    ack_deadline_s: float
    max_messages: int = 0
    max_bytes: int = 0
    messages: int = 0
    bytes: int = 0

    def has_room(self) -> bool:
        has_messages = self.max_messages <= 0 or self.messages < self.max_messages
        return has_messages and (self.max_bytes <= 0 or self.bytes < self.max_bytes)

    def charge(self, message: "Message") -> None:
        self.messages += 1
        self.bytes += message.size

    def release(self, message: "Message") -> None:
        self.messages -= 1
        self.bytes -= message.size


@dataclass(slots=True, eq=False)
class Lane:
    """Messages that must be delivered in order: one batch at a time is out, the rest waits.

    The messages of one ordering key share a lane; any other message has one to itself.
    """

    key: str
    waiting: "deque[Message]" = field(default_factory=deque)
    out: "list[Message]" = field(default_factory=list)

    def send(self) -> "Message":
        message = self.waiting.popleft()
        self.out.append(message)
        return message

    def settle(self) -> "Iterator[Message]":
        """Let go of what is acknowledged and has nothing unacknowledged before it."""
        while self.out and self.out[0].acknowledged:
            yield self.out.pop(0)

    def rewind(self, message: "Message") -> "list[Message]":
        """Take back `message` and all that was sent after it, acknowledged or not."""
        start = self.out.index(message)
        returned, self.out = self.out[start:], self.out[:start]
        return returned


@dataclass(slots=True, eq=False)
class Message:
    """A published message on its way to the consumers of one subscription."""

    published: Wire
    size: int
    lane: Lane
    failures: int = 0
    acknowledged: bool = False
    lease: "Lease | None" = None


@dataclass(slots=True, eq=False)
class Lease:
    """One delivery: until `deadline_s` the message is its consumer's to settle."""

    number: int
    message: Message
    consumer: Consumer
    deadline_s: float
