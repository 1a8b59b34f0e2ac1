"""The tables of courses, one module a noun. Import from the noun's module."""
