"""Services, knowledge and the settings of a site in; out comes what the page for people at `/` shows of them."""
