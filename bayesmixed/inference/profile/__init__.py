"""How high the likelihood stays when one parameter is held: profiles and what is read from them."""
