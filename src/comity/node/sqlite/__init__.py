"""Django's SQLite backend, with turns for the writers of a node."""
