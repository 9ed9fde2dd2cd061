"""The pure core of alerts: findings in; alerts, and what people are told, out. No clock, no I/O; instants are epoch
ms."""
