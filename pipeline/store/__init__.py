"""The model store: what is known, what is here, and how it gets here."""
