"""Tools without meaning of their own: processes, sockets, files, waiting.

Imports no other package of ours.
"""
