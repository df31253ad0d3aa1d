"""Proto ⇄ domain, for the callers' side and the Wallet's: the only room that speaks both."""
