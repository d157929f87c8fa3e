"""Sound out: an `Utterance` becomes `Audio`, and `Audio` becomes sound."""
