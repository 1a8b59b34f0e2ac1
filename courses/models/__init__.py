"""The database tables of courses: one module for each noun. Import a class from the module of its noun."""
