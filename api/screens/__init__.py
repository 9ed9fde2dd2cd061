"""What the screens show: a module for each, from rows of the store to what its template and its JSON say."""
