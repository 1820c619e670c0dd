"""How large a network is: exact counts, by formula for our own family and by fvcore's trace for any other network."""
