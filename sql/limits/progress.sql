-- The clocks of lanes say nothing of anybody's items, and without them all would look blind.
1
