"""What generates text, each behind the `Generator` seam; run in the child process only."""

from __future__ import annotations

from pipeline.description.vlm.job import Generator, ModelLoadError, ModelSpec


def load(spec: ModelSpec) -> Generator:
    """The generator a spec names. Imports what it needs only now. Raises ModelLoadError."""
    if spec.backend == "openvino":
        from pipeline.description.vlm.backends.openvino import load_checked

        return load_checked(spec)
    if spec.backend == "transformers":
        from pipeline.description.vlm.backends.transformers import TorchGenerator

        return TorchGenerator(spec)
    if spec.backend == "openai":
        from pipeline.description.vlm.backends.openai_server import ServerGenerator

        return ServerGenerator(spec)
    raise ModelLoadError(f"there is no backend {spec.backend!r}")
