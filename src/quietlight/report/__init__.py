"""What was done -> pictures and JSON for people."""
