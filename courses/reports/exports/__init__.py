"""Exports of the rows beneath a report, a million or more: a worker makes the file, and the owner downloads it within a week.

`orders` says what is exported, `tables` gives the rows, `exports` makes and keeps the file, `views` are its pages.
"""
