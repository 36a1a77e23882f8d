"""Text functions: text from outside, text for people, counting, and comparing.

outside   text from outside: bounded, one line, without what tells whom it is about
plain     text and durations as people are shown them
cells     a cell as a person would write it
identity  one spelling for what names a person or a row
segments  how many segments an SMS takes
"""
