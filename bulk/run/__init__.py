"""The functions behind the command line and notebooks: one file for each command, and what they share."""
