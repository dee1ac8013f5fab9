"""A URL that the guard admits in; out comes what was there, in time and within bounds. The only way out of this service."""
