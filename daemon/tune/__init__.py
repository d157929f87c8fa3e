"""`watchword tune`: measures the models on every device of this machine and plans the settings from that."""
