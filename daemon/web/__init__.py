"""The web interface: page, HTTP routes and event streams, in a process of its own."""
