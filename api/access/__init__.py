"""Who may do what: users, sessions and tokens, the rows that each may see, and the account that is kept of changes."""
