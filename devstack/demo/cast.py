"""The wallets of the story."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from privy.wallet.v1 import wallet_pb2
from privy.wallet.v1.wallet_pb2 import Wallet

from devstack.demo.desk import Desk

NORTH_LIMIT_MINOR = 4_000_000


@dataclass(frozen=True, slots=True)
class Cast:
    """Persons, a company, an enterprise's tree, and a reseller with a customer of its own."""

    person: Wallet
    friend: Wallet
    company: Wallet
    enterprise: Wallet
    north_merchant: Wallet
    south_merchant: Wallet
    application: Wallet
    web_channel: Wallet
    kiosk_channel: Wallet
    reseller: Wallet
    customer: Wallet

    def wallets(self) -> tuple[Wallet, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))

    def names(self) -> Mapping[str, str]:
        """Say what each wallet id is called in this story."""
        names = (each.name.replace("_", " ") for each in fields(self))
        return {each.wallet_id: name for each, name in zip(self.wallets(), names, strict=True)}


async def open_wallets(desk: Desk) -> Cast:
    person = await desk.open_wallet(_personal("person"))
    friend = await desk.open_wallet(_personal("friend"))
    company = await desk.open_wallet(_node("company", "ENTERPRISE"))
    enterprise = await desk.open_wallet(_node("enterprise", "ENTERPRISE"))
    north = await desk.open_wallet(_limited(_node("north-merchant", "MERCHANT", enterprise)))
    application = await desk.open_wallet(_node("application", "APPLICATION", north))
    web = _node("web-channel", "CHANNEL", application)
    web.policy.funding_source = wallet_pb2.FUNDING_SOURCE_OWN_THEN_ANCESTORS
    kiosk = _node("kiosk-channel", "CHANNEL", application)
    kiosk.policy.funding_source = wallet_pb2.FUNDING_SOURCE_NEAREST_ANCESTOR
    reseller = await desk.open_wallet(_reseller("reseller"))
    return Cast(
        person=person,
        friend=friend,
        company=company,
        enterprise=enterprise,
        north_merchant=north,
        south_merchant=await desk.open_wallet(_node("south-merchant", "MERCHANT", enterprise)),
        application=application,
        web_channel=await desk.open_wallet(web),
        kiosk_channel=await desk.open_wallet(kiosk),
        reseller=reseller,
        customer=await desk.open_wallet(_personal("customer", reseller)),
    )


def _personal(name: str, parent: Wallet | None = None) -> Wallet:
    return _wallet(wallet_pb2.WALLET_TYPE_PERSONAL, name, parent)


def _reseller(name: str) -> Wallet:
    return _wallet(wallet_pb2.WALLET_TYPE_RESELLER, name, None)


def _node(name: str, role: str, parent: Wallet | None = None) -> Wallet:
    wallet = _wallet(wallet_pb2.WALLET_TYPE_ENTERPRISE, name, parent)
    wallet.attributes["role"] = role
    return wallet


def _wallet(kind: "wallet_pb2.WalletType.ValueType", name: str, parent: Wallet | None) -> Wallet:
    above = parent.wallet_id if parent else ""
    return Wallet(type=kind, display_name=name, parent_wallet_id=above)


def _limited(wallet: Wallet) -> Wallet:
    """Let what is below `wallet` spend no more than the limit a day."""
    wallet.policy.time_zone = "Asia/Jakarta"
    wallet.policy.limits.add(
        asset_code="IDR",
        limit_minor=NORTH_LIMIT_MINOR,
        period=wallet_pb2.LIMIT_PERIOD_DAY,
    )
    return wallet
