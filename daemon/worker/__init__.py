"""One process beside the daemon for what is not urgent: guests' pictures, and thresholds being tried."""
