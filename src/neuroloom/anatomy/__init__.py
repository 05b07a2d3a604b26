"""Any scan of a head into label maps, volumes and what they are worth, by the weights that ship."""
