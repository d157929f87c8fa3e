"""What is made of the command line's parsers: man page and completions."""
