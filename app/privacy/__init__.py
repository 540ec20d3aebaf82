"""Privacy: forgetting a person, handing out what is known of one, and how long things are kept."""
