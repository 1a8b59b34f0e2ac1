"""`flask up`: everything the system needs on one machine, started and stopped as one."""
