"""What the daemon answers the web interface: pictures, scores, settings, metrics, and guests' pictures."""
