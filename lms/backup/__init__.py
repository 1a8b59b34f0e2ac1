"""Backups: database, keys and settings in one encrypted file, and the way back from it."""


class BackupError(Exception):
    """A backup or a restore cannot go on; the message is one sentence that names the cause and, where known, the cure."""
