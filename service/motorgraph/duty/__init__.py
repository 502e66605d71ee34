"""The duty planner: what a car of a maker, built somewhere, pays in a market on a day, and what would change that."""
