"""The starter model: a real image-text model from pinned Python wheels, without torch or a model hub."""
