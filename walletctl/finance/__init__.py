"""What operators see, and mend, of finance's events: dead letters, documents, the audit trail.

Google's clients take a second to import: only functions that open one, or call it, import them.
"""
