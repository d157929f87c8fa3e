"""The answers to the commands of the control socket."""
