"""The enrolment report: what is asked, the figures, and what they are made of. One noun a module."""
