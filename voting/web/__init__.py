"""The edge: thin blueprints, forms, wording and limits. Everything they do, a service does for them."""
