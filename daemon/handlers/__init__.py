"""What the daemon answers the desk: pictures, scores, settings, metrics, and guests' pictures."""
