"""HTTP in, HTTP out: the Flask blueprints, and the one place where refusals become statuses."""
