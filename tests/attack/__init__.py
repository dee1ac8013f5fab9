"""Attacks on the running service, in tables; a row's sentence and expectation in, a held server's answer out."""
