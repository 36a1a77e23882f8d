"""The command line: one file for each command, and what they share.

main       the program: which commands there are, and how it ends
command    what makes a command of a function
options    the options, each said once
process    a command's work, done to its end; signals
screen     where words go
text       the texts: what a plan, a progress, a run say to a person
progress   the progress of a run as it goes on
hints      what to type next
logs       what is logged, as text or as JSON
examples   what each command's help ends with
"""
