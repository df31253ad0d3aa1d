"""Proto ⇄ domain: `requests` in, `answers` out."""
