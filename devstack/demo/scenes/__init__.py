"""What each act shows: a title, what it teaches, and tables. Pure."""
