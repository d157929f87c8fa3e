"""The model store: catalogue, installed models, and downloads."""
