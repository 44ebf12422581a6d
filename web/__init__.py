"""Show the dialer in a browser: API, pages, sign-in, words in two languages."""
