"""What makes a repeated request recognisable."""

import hashlib

from google.protobuf.message import Message

DIGEST_BYTES = 16


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def body_digest(message: Message) -> bytes:
    """Digest what a caller asked for: the call's name and all fields known here.

    Fields that this version does not know are dropped from `message` first, so that a newer
    caller's request and its repetition through an older one look alike.
    """
    message.DiscardUnknownFields()
    body = message.SerializeToString(deterministic=True)
    return digest(message.DESCRIPTOR.full_name.encode() + body)
