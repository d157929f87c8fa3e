"""One low-priority process beside the daemon: external pictures, and thresholds being tried."""
