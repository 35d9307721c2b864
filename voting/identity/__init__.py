"""Who is this phone: providers that turn what a request carries into an Identity. No campaign, no vote lives here."""
