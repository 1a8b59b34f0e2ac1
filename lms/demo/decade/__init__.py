"""Ten years at the branch's real size: made by set-based SQL and written by COPY."""
