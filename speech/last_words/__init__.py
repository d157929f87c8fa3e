"""What is said when the program cannot start: prepared sounds that need none of what may be broken."""
