"""The acts: what customers do, and what they are answered. `story` has them happen, in order."""
