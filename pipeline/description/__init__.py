"""Vision-language models behind the `Describer` seam: prompts, cleaning, a child process, backends."""
