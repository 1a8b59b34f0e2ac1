"""The reports: enrolment, districts by period, indicators, hours taught, their drill-downs and their exports.

A view makes a `questions.Question`; a rule module answers it from `rollups` or from the `ledger`; a template, a chart,
a PDF or a file shows the answer. The CSV of the enrolment report: `views/enrolment.py`, `labels/enrolment.py`. Exports
of a million rows: `exports/`. The kept sums: `rollups.py`.
"""
