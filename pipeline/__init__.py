"""Meaning: a `Frame` becomes an `Assessment`, an `Assessment` becomes alerts and scene events."""
