"""What the command line and a notebook call: a file for each command, and what the commands share."""
