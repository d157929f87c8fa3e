"""The starter model: a real image-text model from pinned Python package wheels, without torch or a model hub."""
