"""The web interface: what is offered to whoever sets Watchword up, in a process of its own."""
