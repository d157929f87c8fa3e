"""The commands that talk to the running daemon, or speak in its place, and how they find it."""
