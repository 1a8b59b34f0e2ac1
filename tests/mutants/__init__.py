"""Mutation testing (`make mutants`): each rule module is changed in many small ways, and its tests must notice.

A changed copy of a module is a mutant. A mutant that no test of the module notices is a survivor: it shows a rule that
no test holds. mutmut says how code is changed (its operators); the runner here is our own, because mutmut leaves out
what stands outside functions (a regular expression, a tolerance, a table of weights), has no list of equivalent mutants,
and would start a PostgreSQL server for each mutant.
"""
