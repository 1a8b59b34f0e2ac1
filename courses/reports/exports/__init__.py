"""Exports of the rows behind a number, a million or more: a worker makes the file, which is kept for a week.

`orders` says what is exported, `tables` gives the rows, `exports` makes and keeps the file, `views` are its pages.
"""
