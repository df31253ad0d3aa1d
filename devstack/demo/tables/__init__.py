"""What happened, as rows of text. Pure."""
