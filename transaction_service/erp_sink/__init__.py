"""Writes the published events into Firestore: one document per event, however often delivered."""
