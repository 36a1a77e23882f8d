"""The starters of `bulk init`: a campaign and a list for each channel that work with the sandbox as they are.

starter    the files, written
from_list  the campaign's text for a list that somebody has
columns    which columns of that list it makes use of
"""

from bulk.channels import CHANNELS
from bulk.cli.starters.starter import ListStarter, write, write_for

__all__ = ["CHANNELS", "ListStarter", "write", "write_for"]
