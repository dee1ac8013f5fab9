"""A request and what might be otherwise in; out comes all that the service makes of it, before and after, for a page to show."""
