"""A demo year: made by the rules at past moments, so that every figure in it is a real one."""
