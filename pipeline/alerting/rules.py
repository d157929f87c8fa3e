"""The rules of the built-in hazards, from hazards.toml."""

from __future__ import annotations

from functools import cache

from pipeline.alerting.rivals import AlertRules
from pipeline.hazards import vote_factors, yields_to


@cache
def builtin_rules() -> AlertRules:
    """Return the rules of every built-in hazard: rivals and vote factors."""
    return AlertRules(yields_to=yields_to(), vote_factor=vote_factors())
