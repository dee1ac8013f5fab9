"""What is written down: log lines and audit records of closed fields, that nothing of a patient or a token can get into."""
