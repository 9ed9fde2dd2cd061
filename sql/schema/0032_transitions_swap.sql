-- As 0031, for transitions.
EXCHANGE TABLES transitions AND transitions_by_time;
