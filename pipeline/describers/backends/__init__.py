"""What generates text, each behind the `Generator` seam; run in the child process only."""

from __future__ import annotations

from pipeline.describers.job import Generator, LoadError, Spec


def load(spec: Spec) -> Generator:
    """The generator a spec names. Imports what it needs only now. Raises LoadError."""
    if spec.backend == "openvino":
        from pipeline.describers.backends.genai import load_checked

        return load_checked(spec)
    if spec.backend == "transformers":
        from pipeline.describers.backends.torch_model import TorchGenerator

        return TorchGenerator(spec)
    if spec.backend == "openai":
        from pipeline.describers.backends.server import ServerGenerator

        return ServerGenerator(spec)
    raise LoadError(f"there is no backend {spec.backend!r}")
