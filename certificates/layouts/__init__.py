"""The wording and the look of certificates, as rows that the branch edits, and the seals of its issuing units."""
