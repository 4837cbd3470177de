"""What the scripts of this folder share; none of it is part of the product."""
