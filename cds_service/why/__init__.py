"""A launch from the EHR in; the chart, read again with the token that the EHR gives, and all reasons out. Nothing is kept."""
