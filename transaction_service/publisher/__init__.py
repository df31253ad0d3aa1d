"""Publishes the events that the Wallet committed: at least once, each wallet's in order."""
