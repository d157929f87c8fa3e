"""Which image-text model runs: trials on this machine, and the starter's vote beside an unmeasured model."""
